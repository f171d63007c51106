/** What is known of a far machine holds for the machine that was looked at, and for no other. */
import assert from 'node:assert/strict';
import { systemClock } from '@hitch/platform/src/clock.ts';
import type { MachineAddress } from '../../../src/access/host.ts';
import type { FarShell } from '../../../src/access/tunnel/far-shell.ts';
import { FarHost } from '../../../src/machines/far/far-host.ts';
import { LastLooks } from '../../../src/machines/far/last-look.ts';
import { LOOK, PREPARE } from '../../../src/machines/far/program-texts.ts';
import { LOOK_TEXT } from './looks.ts';

const { signal } = new AbortController();
const ADDRESS: MachineAddress = {
  at: 'root@203.0.113.7',
  hostKey: 'ssh-ed25519 AAAA',
  ssh: null,
  proof: 'named',
  privateAddress: null,
};

/** A way to a machine that answers, which keeps what it was asked. */
function way() {
  const asked: string[] = [];
  const shell: FarShell = {
    name: 'gpu-box',
    run: program => {
      asked.push(program === LOOK ? 'look' : program === PREPARE ? 'prepare' : 'other');
      const stdout = program === LOOK ? LOOK_TEXT : '::ports 23000\n';
      return Promise.resolve({ code: 0, stdout, stderr: '' });
    },
    follow: () => Promise.resolve(0),
    put: () => Promise.resolve(),
    forward: socket => {
      asked.push(`forward ${socket}`);
      return Promise.resolve({ socketPath: '/here' });
    },
    closed: signal,
    close: () => Promise.resolve(),
  };
  return { asked, shell };
}

function hostOver(shell: FarShell, looks: LastLooks, address = ADDRESS): FarHost {
  const last = looks.of('clu_1-hitch-1', address);
  return new FarHost({
    shell,
    ref: 'hitch-1',
    address,
    lease: null,
    promised: null,
    clock: systemClock,
    last,
  });
}

async function looked(): Promise<LastLooks> {
  const looks = new LastLooks();
  await hostOver(way().shell, looks).facts(signal);
  return looks;
}

/** What a new way to it asks before the agent is reached. */
async function askedBy(looks: LastLooks, address?: MachineAddress): Promise<readonly string[]> {
  const { asked, shell } = way();
  await hostOver(shell, looks, address).connect(signal);
  return asked.map(each => each.replace(/ .*/, ''));
}

describe('a far machine that was looked at', () => {
  it('is asked nothing by a new way to its agent', async () => {
    assert.deepEqual(await askedBy(new LastLooks()), ['look', 'forward']);
    assert.deepEqual(await askedBy(await looked()), ['forward']);
  });

  it('is asked again where another address, another host key or another cluster’s machine is meant', async () => {
    const looks = await looked();
    assert.deepEqual(await askedBy(looks, { ...ADDRESS, at: 'root@203.0.113.8' }), ['look', 'forward']);
    assert.deepEqual(await askedBy(looks, { ...ADDRESS, hostKey: 'ssh-ed25519 BBBB' }), ['look', 'forward']);
    assert.equal(looks.of('clu_2-hitch-1', ADDRESS).get(), null);
  });

  it('is looked at in full when that is asked for', async () => {
    const { asked, shell } = way();
    await hostOver(shell, await looked()).facts(signal);
    assert.deepEqual(asked, ['look', 'prepare']);
  });

  it('is asked again once it is forgotten', async () => {
    const looks = await looked();
    looks.forget('clu_1-');
    assert.deepEqual(await askedBy(looks), ['look', 'forward']);
  });
});
