/** Machines of one's own of which one does not answer. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as settle } from 'node:timers/promises';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import type { FarShell } from '../../src/access/tunnel/far-shell.ts';
import { CALL_LIMIT_MS } from '../../src/clusters/limits.ts';
import { OwnHosts } from '../../src/providers/ssh/own-hosts.ts';
import { SshProvider } from '../../src/providers/ssh/ssh-provider.ts';

const never = new AbortController().signal;

describe('a machine of one’s own that does not answer', () => {
  let folder = '';
  const clock = new VirtualClock();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-silent-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** What each machine says of its uses; null: nothing, ever. */
  function provider(machines: Readonly<Record<string, { stdout: string; code: number } | null>>) {
    const hosts = new OwnHosts(homeAt(folder));
    Object.keys(machines).forEach(name => hosts.set({ name, pricePerHourMicroUsd: '0' }));
    const shellOf = (name: string): FarShell => {
      const said = machines[name] ?? null;
      const run = () =>
        said === null ? new Promise<never>(() => undefined) : Promise.resolve({ ...said, stderr: '' });
      // What is used of a shell.
      return { name, run } as unknown as FarShell;
    };
    return new SshProvider({
      hosts,
      clock,
      targetOf: name => ({ name, destination: name, settings: [], configFile: null }),
      shells: {
        use: (target, _signal, work) => work(shellOf(target.name)),
        hold: target => Promise.resolve({ shell: shellOf(target.name), letGo: () => undefined }),
      },
    });
  }

  it('is left out of the list before that may take no longer, and said; the others are on it', async () => {
    const ssh = provider({ box: { stdout: 'hitch-a 0 1 2 ada@laptop box\n::end\n', code: 0 }, silent: null });
    const startMs = clock.now();
    const listing = ssh.list(never);
    await settle();
    while (clock.nextTimerAt() !== null) {
      clock.step();
    }
    const instances = await listing;
    assert.deepEqual(
      instances.map(({ mark }) => mark),
      ['hitch-a'],
    );
    assert.match(
      ssh.listLeftOut() ?? '',
      /^silent has not answered for 20 s\. .*its home folder may lie on a server/,
    );
    assert.ok(clock.now() - startMs < CALL_LIMIT_MS.list);
  });

  it('says of its home folder alone that it is silent where that is so', async () => {
    const ssh = provider({ box: { stdout: '::end\n', code: 0 }, dead: { stdout: '', code: 124 } });
    assert.deepEqual(await ssh.list(never), []);
    assert.equal(
      ssh.listLeftOut(),
      'dead answers, but its home folder does not: it may lie on a server that is gone.',
    );
  });
});
