/** Ways to machines by ssh for one test: real machines behind real sshds, and everything ended after it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import { FarError, type FarErrorKind } from '../../backend-proxy/src/access/tunnel/far-shell.ts';
import { OpenSshShell } from '../../backend-proxy/src/access/tunnel/open-ssh-shell.ts';
import { FarMachine, type FarMachineOptions } from './far-machine.ts';
import { allProcesses } from './processes.ts';
import { Wire } from './wire.ts';

const { signal } = new AbortController();

export class Ways {
  /** A short folder for sockets. */
  readonly sockets = mkdtempSync(join(tmpdir(), 'ways-'));
  readonly #leftOver: (() => Promise<void> | void)[] = [];

  /** Runs when the test is over, the last first. */
  later(end: () => Promise<void> | void): void {
    this.#leftOver.push(end);
  }

  async machine(options: FarMachineOptions = {}): Promise<FarMachine> {
    const machine = await FarMachine.start(options);
    this.later(() => machine.dispose());
    return machine;
  }

  async wireTo(...to: Parameters<typeof Wire.to>): Promise<Wire> {
    const wire = await Wire.to(...to);
    this.later(() => wire.close());
    return wire;
  }

  async reach(machine: FarMachine, shared = true, given = signal): Promise<OpenSshShell> {
    const shell = await OpenSshShell.open(
      { name: 'gpu-box', destination: 'gpu-box', settings: [], configFile: machine.config },
      { clock: systemClock, random: systemRandom, sockets: this.sockets, shared },
      given,
    );
    this.later(() => shell.close());
    return shell;
  }

  /** Ends everything, and fails where an `ssh` is left. */
  async end(): Promise<void> {
    for (const end of this.#leftOver.splice(0).toReversed()) {
      await end();
    }
    assert.deepEqual(
      allProcesses()
        .filter(({ command }) => command.includes(this.sockets))
        .map(({ command }) => command),
      [],
    );
    rmSync(this.sockets, { recursive: true, force: true });
  }
}

/** What a way that is not let through fails with. */
export async function refusal(work: Promise<unknown>, kind: FarErrorKind): Promise<FarError> {
  const error = await work.then(
    () => assert.fail('it was let through'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof FarError, String(error));
  assert.equal(error.kind, kind, error.message);
  return error;
}
