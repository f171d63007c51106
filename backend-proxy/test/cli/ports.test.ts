/** `hitch ports` and `hitch open`, against the real API. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { openInBrowser } from '../../src/cli/browser.ts';
import { FakeAgent } from '../api/fake-agent.ts';
import { ids } from '../store/records.ts';
import { CliHarness } from './harness.ts';

const headOf = ({ id }: Cluster): Cluster['nodes'][number] => ({
  id: ids.next('nod'),
  clusterId: id,
  index: 0,
  phase: 'ready',
  message: '',
  phaseSinceMs: 0,
  title: 'Machine',
  provider: null,
  signals: null,
  attempts: [],
});

describe('hitch: ports of a cluster', () => {
  let harness: CliHarness;
  let agent: FakeAgent;

  beforeEach(async () => {
    harness = await CliHarness.start();
    agent = new FakeAgent();
    const cluster = harness.clusters.add();
    harness.clusters.clusters.set(cluster.id, { ...cluster, nodes: [headOf(cluster)] });
    harness.clusters.links.set(cluster.id, agent.link);
  });

  afterEach(async () => {
    await harness.close();
    await agent.close();
  });

  const tensorboard = { port: 6006, process: 'tensorboard', known: 'tensorboard' } as const;
  const app = { port: 5000, process: 'python \u202eapp.py', known: null };

  it('lists them, dashboards first, with names made plain', async () => {
    assert.equal(
      (await harness.run(['ports', 'llm-dev'])).stdout,
      'Nothing on this cluster listens on a port.\n',
    );
    agent.ports.push(app, tensorboard);
    const { code, lines, stderr } = await harness.run(['ports', 'llm-dev']);
    assert.equal(code, 0);
    assert.deepEqual(
      lines.map(line => line.trim().split(/ {2,}/)),
      [
        ['PORT', 'NODE', 'WHAT', 'PROGRAM'],
        ['6006', '0', 'TensorBoard', 'tensorboard'],
        ['5000', '0', 'python \\u202eapp.py', 'python \\u202eapp.py'],
      ],
    );
    assert.match(stderr, /Open one with hitch open llm-dev --port <port>\./);
  });

  it('opens the dashboard that is there, and prints its address without the code', async () => {
    agent.ports.push(app, tensorboard);
    const opened: string[] = [];
    const browser = (url: string): Promise<boolean> => {
      opened.push(url);
      return Promise.resolve(true);
    };
    const { code, stdout, stderr } = await harness.run(['open', 'llm-dev'], { browser });
    assert.equal(code, 0);
    assert.match(stdout, /^http:\/\/6006-llm-dev-[0-9a-f]{8}\.localhost:\d+\/\n$/);
    assert.equal(stderr, 'Opened TensorBoard, port 6006 of llm-dev in the browser.\n');
    assert.match(opened[0] ?? '', /\/\.hitch\/open\/\S{20}/);
    assert.equal(stdout.includes('.hitch'), false);
  });

  it('prints the address that opens it where there is no browser, or none is wanted', async () => {
    agent.ports.push(app);
    const { stdout, stderr } = await harness.run(['open', 'llm-dev', '--port', '5000']);
    assert.match(stdout, /^http:\/\/5000-llm-dev-\S+\/\.hitch\/open\/\S+\n$/);
    assert.match(stderr, /^Open this in a browser on this computer: port 5000 of llm-dev\. It works once/);
    const browser = (): Promise<boolean> => assert.fail('a browser was opened');
    const printed = await harness.run(['open', 'llm-dev', '--print'], { browser });
    assert.match(printed.stdout, /\.hitch\/open\//);
  });

  it('asks which where there are several, and says what to do where there is none', async () => {
    const none = await harness.run(['open', 'llm-dev']);
    assert.equal(none.code, 3);
    assert.match(none.stderr, /Nothing on this cluster listens on a port\.\nStart a program there first/);
    agent.ports.push(tensorboard, { port: 8265, process: 'ray', known: 'ray' });
    const several = await harness.run(['open', 'llm-dev']);
    assert.equal(several.code, 4);
    assert.match(
      several.stderr,
      /llm-dev has several: TensorBoard \(port 6006\), Ray dashboard \(port 8265\)\./,
    );
    const wrong = await harness.run(['open', 'llm-dev', '--port', '22']);
    assert.equal(wrong.code, 3);
    assert.match(wrong.stderr, /No program of llm-dev listens on port 22\./);
  });

  it('hands the code to the desktop in a file of the user’s own, never as an argument', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hitch-open-'));
    try {
      const seen = join(folder, 'seen');
      writeFileSync(join(folder, 'xdg-open'), `#!/bin/sh\necho "$@" > ${seen}\n`, { mode: 0o755 });
      const path = process.env['PATH'];
      process.env['PATH'] = `${folder}:${path ?? ''}`;
      try {
        const place = { folder, clock: systemClock, platform: 'linux' };
        const env = { DISPLAY: ':0' };
        const url = 'http://a.localhost:1/.hitch/open/secret?x="<';
        assert.equal(await openInBrowser(url, { ...place, env }), true);
        assert.equal(await openInBrowser(url, { ...place, env: {} }), false);
      } finally {
        process.env['PATH'] = path;
      }
      const file = join(folder, 'open.html');
      assert.equal(readFileSync(seen, 'utf8'), `${file}\n`);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.match(
        readFileSync(file, 'utf8'),
        /url=http:\/\/a\.localhost:1\/\.hitch\/open\/secret\?x=&#34;&#60;"/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
