import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NASTY } from '../../../shared/contract/test/support/nasty-strings.ts';
import { SshHosts } from '../../src/access/ssh/hosts.ts';
import { createLog, silentLog } from '@hitch/platform/src/log.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { ids } from '../store/records.ts';

const KEY = `ssh-ed25519 ${'A'.repeat(68)}`;
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

describe('hostile text in files that other programs read', function suite() {
  // The whole list goes through each place, on a machine that may be busy.
  this.timeout(60_000);

  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-hostile-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const hostsIn = (): SshHosts => {
    const hosts = new SshHosts({
      home: homeAt(folder),
      log: silentLog,
      program: { node: 'node', hitch: 'hitch.mjs', environment: {} },
    });
    return hosts;
  };

  it('is no setting of ssh and no host key, whatever a machine says of itself', () => {
    const clusterId = ids.next('clu');
    const place = { clusterId, nodeIndex: 0, attemptId: 'a', alias: 'hitch-llm-dev' };
    for (const { text, attacks } of NASTY) {
      for (const lie of [
        { user: text },
        { hostKey: text },
        { hostKey: `${KEY} ${text}` },
        { workFolder: text },
      ]) {
        const hosts = hostsIn();
        hosts.start(new Set([clusterId]));
        hosts.note(place, {
          available: true,
          message: '',
          hostKey: KEY,
          user: 'root',
          workFolder: '/',
          ...lie,
        });
        const config = readFileSync(hosts.files.config, 'utf8');
        const known = readFileSync(hosts.files.knownHosts, 'utf8');
        // A user of one word is a user; everything else is refused whole.
        const isWord = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/.test(text) || text === '__proto__';
        const lines = config.split('\n').filter(line => line.startsWith('Host '));
        assert.deepEqual(
          lines,
          'workFolder' in lie || ('user' in lie && isWord) ? ['Host hitch-llm-dev'] : [],
          attacks,
        );
        assert.match(known, /^(?:clu_\w+\.hitch-llm-dev,hitch-llm-dev ssh-ed25519 A+\n)?$/i, attacks);
        hosts.forget(clusterId);
      }
    }
  });

  it('takes no other pin with it out of the file of pins', () => {
    const clusterId = ids.next('clu');
    const good = {
      clusterId,
      nodeIndex: 0,
      attemptId: 'a',
      alias: 'hitch-llm-dev',
      workFolder: '/',
      user: 'root',
      hostKey: KEY,
    };
    const hosts = hostsIn();
    hosts.start(new Set([clusterId]));
    for (const { text, attacks } of NASTY.filter(({ text }) => !/^[a-z0-9][a-z0-9.-]{0,99}$/.test(text))) {
      writeFileSync(
        join(homeAt(folder).ssh, 'pins.json'),
        JSON.stringify([{ ...good, alias: text }, good, text, null]),
      );
      const read = hostsIn();
      read.start(new Set([clusterId]));
      assert.deepEqual(
        read.hosts.map(({ alias }) => alias),
        ['hitch-llm-dev'],
        attacks,
      );
    }
  });

  it('is one line of the log, which a terminal can show', () => {
    const file = join(folder, 'daemon.log');
    const log = createLog({ file });
    NASTY.forEach(({ text }) => log.warn(text, { error: text, ref: text }));
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, NASTY.length);
    lines.forEach((line, index) => {
      const { text, attacks } = NASTY[index] ?? { text: '', attacks: '' };
      assert.doesNotMatch(line, HIDDEN, attacks);
      assert.partialDeepStrictEqual(JSON.parse(line), { msg: text, error: text, ref: text }, attacks);
    });
  });
});
