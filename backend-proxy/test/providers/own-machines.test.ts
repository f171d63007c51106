/** The list of one's own machines, and what is done with one that is in trouble. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { FarError, type FarShell } from '../../src/access/tunnel/far-shell.ts';
import { SshMachines } from '../../src/providers/ssh/own-machines.ts';
import { OwnHosts } from '../../src/providers/ssh/own-hosts.ts';

const never = new AbortController().signal;

describe('a machine of one’s own that is taken off the list', () => {
  let folder = '';
  let hosts: OwnHosts;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-own-machines-'));
    hosts = new OwnHosts(homeAt(folder));
    hosts.set({ name: 'gpu-box', pricePerHourMicroUsd: '0' });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** @param answer what the machine says, or what happens on the way to it. */
  const machines = (answer: () => Promise<string>): SshMachines =>
    new SshMachines({
      hosts,
      targetOf: name => ({ name, destination: name, settings: [], configFile: null }),
      configFile: null,
      shells: {
        use: async (_target, _signal, work) => {
          const stdout = await answer();
          // What is used of a shell.
          const shell = { name: 'gpu-box', run: () => Promise.resolve({ stdout, stderr: '', code: 0 }) };
          return work(shell as unknown as FarShell);
        },
      },
    });

  it('is said with what still runs there', async () => {
    const { left, problem } = await machines(() =>
      Promise.resolve('hitch-a 0 0 0 ada@laptop gpu-box\n::end\n'),
    ).remove('gpu-box', never);
    assert.deepEqual(
      left.map(({ ref, by }) => [ref, by]),
      [['hitch-a', 'ada@laptop']],
    );
    assert.equal(problem, null);
    assert.deepEqual(hosts.list(), []);
  });

  for (const [what, answer, sentence] of [
    [
      'does not answer',
      () => Promise.reject(new FarError('unreachable', 'gpu-box is away.')),
      /^gpu-box is away\.$/,
    ],
    ['makes no sense', () => Promise.resolve('Welcome!'), /^gpu-box did not say all that runs there\.$/],
  ] as const) {
    it(`goes although it ${what}, and that nobody could look is said`, async () => {
      const { left, problem } = await machines(answer).remove('gpu-box', never);
      assert.deepEqual(left, []);
      assert.match(problem ?? '', sentence);
      assert.deepEqual(hosts.list(), []);
    });
  }

  it('stays where a person gave up, and where something else failed', async () => {
    const given = new AbortController();
    const away = machines(() => {
      given.abort(new Error('A person cancelled it.'));
      return Promise.reject(new FarError('unreachable', 'gpu-box is away.'));
    });
    await assert.rejects(away.remove('gpu-box', given.signal), /is away/);
    const broken = machines(() => Promise.reject(new TypeError('a defect')));
    await assert.rejects(broken.remove('gpu-box', never), /a defect/);
    assert.equal(hosts.list().length, 1);
  });
});
