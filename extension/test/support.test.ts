import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchClient } from '@hitch/contract';
import { endOf, problemReport } from '@hitch/client-node/src/report/problem-report.ts';
import { redact } from '@hitch/contract/src/redact.ts';
import { sentence } from '../src/sentence.ts';
import { cluster, NOW } from './sample.ts';

const person = { home: '/home/ada', name: 'ada', host: 'ada-laptop', names: ['llm-dev'] };
const secrets = [
  'Authorization: Bearer 0123456789abcdef0123',
  '"token":"0123456789abcdef0123"',
  'HF_TOKEN=hf_abcdefghijklmnopqrstu',
  'https://ada:hunter22@example.org/x',
  'api_key: "sk-0123456789abcdef"',
  '-----BEGIN OPENSSH PRIVATE KEY-----\nabc0123456789abcdef\n-----END OPENSSH PRIVATE KEY-----',
];

describe('what leaves this computer in the report of a problem', () => {
  it('has no bearer, key or password', () => {
    for (const secret of secrets) {
      assert.doesNotMatch(redact(secret, person), /0123456789abcdef|hf_abc|hunter22/, secret);
    }
  });

  it('has no name of the person, the computer or a cluster', () => {
    assert.equal(redact('/home/ada/work by ada', person), '~/work by [user]');
    assert.equal(
      redact('llm-dev of ada-laptop, not llm-devs', person),
      '[name 1] of [computer], not llm-devs',
    );
  });

  it('leaves what helps', () => {
    const line = '2026-11-22 14:05 clusters.launch offer vast:123 refused: out of stock';
    assert.equal(redact(line, person), line);
  });

  it('is JSON, has the daemon’s last words without their secrets, and says what could not be had', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hitch-bundle-'));
    try {
      writeFileSync(join(folder, 'daemon.log'), secrets.join('\n'));
      const client = new HitchClient({
        baseUrl: 'http://127.0.0.1:1',
        token: () => 'x',
        clientId: 'test',
        fetch: () => Promise.reject(new TypeError('fetch failed')),
      });
      const { text, contents } = await problemReport({
        api: () => client.api,
        clusters: [cluster({ name: 'llm-dev', message: 'llm-dev is at work' })],
        client: { app: 'test' },
        logs: { daemon: endOf(join(folder, 'daemon.log')), extension: 'line one' },
        nowMs: NOW,
        sentence,
      });
      assert.doesNotMatch(text, /0123456789abcdef|hf_abc|hunter22|llm-dev/);
      const content = JSON.parse(text) as Record<string, unknown>;
      assert.match(String(content['daemon']), /does not answer/);
      assert.ok(Array.isArray(content['clusters']));
      assert.match(contents.join('\n'), /why no checks could be made[^]*1 cluster [^]*log daemon, \d+ lines/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('takes only the end of a long file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hitch-end-'));
    writeFileSync(join(folder, 'a.log'), 'x'.repeat(100) + 'end');
    assert.equal(endOf(join(folder, 'a.log'), 3), 'end');
    assert.match(endOf(join(folder, 'none.log'), 3), /not read/);
    rmSync(folder, { recursive: true, force: true });
  });
});
