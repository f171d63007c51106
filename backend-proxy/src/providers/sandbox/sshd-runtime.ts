/**
 * Practice machines behind a real `ssh`: each is an sshd on this computer with a port, a host key and a home folder of its
 * own, which lets in the key that its renter named. They are set up, reached and believed as rented machines are.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';
import * as z from 'zod';
import { refOfRank } from '../../ledger/cluster-state.ts';
import type { SshAddress } from '../../ledger/records.ts';
import { endProcesses } from '../../machines/end-processes.ts';
import { type ProcessTable, TAG, systemProcesses } from '../../machines/process-table.ts';
import { type MarketRuntime, ranksOf } from './market-runtime.ts';
import { MarketRefusal } from './market-refusal.ts';
import type { Rental } from './market-storage.ts';
import { speaksFirst, startSshd } from './sshd-process.ts';

export interface SshdRuntimeOptions {
  /** A folder for the machines; short, for the sockets below it. */
  readonly folder: string;
  readonly clock: Clock;
  /** Folders in which the machines find programs first. */
  readonly path?: readonly string[];
  readonly table?: ProcessTable;
}

const LISTEN_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 50;

const machineSchema = z.object({
  port: z.number().int(),
  hostKey: z.string(),
  sshd: z.object({ pid: z.number().int(), startedAt: z.string() }).nullable(),
});
type Machine = z.infer<typeof machineSchema>;
/** What of a rental its machines are made of. */
type Machines = Pick<Rental, 'ref' | 'letIn'>;

export class SshdRuntime implements MarketRuntime {
  readonly #options: SshdRuntimeOptions;
  readonly #table: ProcessTable;
  readonly #booting = new Map<string, Promise<Machine>>();

  constructor(options: SshdRuntimeOptions) {
    this.#options = options;
    this.#table = options.table ?? systemProcesses;
  }

  reserve(ref: string): void {
    if (existsSync(this.#folder(ref))) {
      throw new MarketRefusal('conflict', `The label ${ref} is in use.`);
    }
  }

  /** It is made when somebody first asks where it is, and its sshd started again where it died. */
  async ssh(rental: Machines, rank: number): Promise<Extract<SshAddress, { kind: 'rented' }>> {
    const ref = refOfRank(rental.ref, rank);
    const { port } = await (this.#booting.get(ref) ?? this.#boot(ref, rental));
    return { kind: 'rented', host: '127.0.0.1', port, user: userInfo().username, hostKeys: null };
  }

  async end(rental: Pick<Rental, 'ref' | 'members'>): Promise<void> {
    await Promise.all(ranksOf(rental).map(rank => this.endMember(rental, rank)));
  }

  async endMember({ ref: whole }: Pick<Rental, 'ref'>, rank: number): Promise<void> {
    const ref = refOfRank(whole, rank);
    const sshd = this.#read(ref)?.sshd ?? null;
    await endProcesses(
      { ref, cgroup: null, roots: sshd === null ? [] : [sshd] },
      { clock: this.#options.clock, table: this.#table },
    );
    rmSync(this.#folder(ref), { recursive: true, force: true });
  }

  /** An sshd does not end with what it started: only the network ends these. */
  endedByItselfAtMs(): Promise<null> {
    return Promise.resolve(null);
  }

  #boot(ref: string, { letIn }: Machines): Promise<Machine> {
    const booting = this.#booted(ref, letIn).finally(() => this.#booting.delete(ref));
    this.#booting.set(ref, booting);
    return booting;
  }

  async #booted(ref: string, letIn: Rental['letIn']): Promise<Machine> {
    const before = this.#read(ref);
    if (before?.sshd !== null && before?.sshd !== undefined && (await this.#runs(before.sshd))) {
      return before;
    }
    const machine = before ?? { ...this.#make(ref, letIn), port: await freePort(), sshd: null };
    const started = { ...machine, sshd: await this.#start(ref, machine.port, letIn) };
    writeFileSync(this.#file(ref), JSON.stringify(started), { mode: 0o600 });
    return started;
  }

  #make(ref: string, letIn: Rental['letIn']): { readonly hostKey: string } {
    const folder = this.#folder(ref);
    mkdirSync(join(folder, 'home'), { recursive: true, mode: 0o700 });
    const key = generateOpensshKey(ref);
    writeFileSync(join(folder, 'host'), key.privateKey, { mode: 0o600 });
    writeFileSync(join(folder, 'host.pub'), `${key.publicKey}\n`);
    writeFileSync(join(folder, 'authorized_keys'), `${letIn?.publicKey ?? ''}\n`, { mode: 0o600 });
    return { hostKey: key.publicKey };
  }

  async #start(ref: string, port: number, letIn: Rental['letIn']): Promise<NonNullable<Machine['sshd']>> {
    const folder = this.#folder(ref);
    const config = join(folder, 'sshd_config');
    writeFileSync(config, this.#config(folder, ref, port, letIn));
    const sshd = startSshd({ config, log: join(folder, 'sshd.log') }, { [TAG]: ref });
    const untilMs = this.#options.clock.monotonic() + LISTEN_LIMIT_MS;
    for (;;) {
      const found = (await this.#table.read()).find(({ pid }) => pid === sshd.pid);
      if (found !== undefined && (await speaksFirst(port))) {
        return { pid: found.pid, startedAt: found.startedAt };
      }
      if (sshd.exitCode !== null || this.#options.clock.monotonic() > untilMs) {
        throw new MarketRefusal('not_ready', `The machine ${ref} does not answer: ${lastLine(folder)}`);
      }
      await this.#options.clock.sleep(LOOK_EVERY_MS);
    }
  }

  #config(folder: string, ref: string, port: number, letIn: Rental['letIn']): string {
    const environment = {
      HOME: join(folder, 'home'),
      [TAG]: ref,
      ...(this.#options.path === undefined
        ? {}
        : { PATH: [...this.#options.path, '/usr/local/bin', '/usr/bin', '/bin'].join(':') }),
      ...(letIn?.proof === undefined || letIn.proof === null ? {} : { HITCH_PROOF: letIn.proof }),
    };
    return [
      `Port ${port.toString()}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(folder, 'host')}`,
      `AuthorizedKeysFile ${join(folder, 'authorized_keys')} ${join(folder, 'home', '.ssh', 'authorized_keys')}`,
      'StrictModes no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'UsePAM no',
      'PidFile none',
      // Only the first SetEnv counts.
      `SetEnv ${Object.entries(environment)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')}`,
      '',
    ].join('\n');
  }

  async #runs({ pid, startedAt }: NonNullable<Machine['sshd']>): Promise<boolean> {
    return (await this.#table.read()).some(entry => entry.pid === pid && entry.startedAt === startedAt);
  }

  #read(ref: string): Machine | null {
    try {
      return machineSchema.parse(JSON.parse(readFileSync(this.#file(ref), 'utf8')));
    } catch {
      return null;
    }
  }

  #folder(ref: string): string {
    return join(this.#options.folder, ref);
  }

  #file(ref: string): string {
    return join(this.#folder(ref), 'machine.json');
  }
}

function lastLine(folder: string): string {
  try {
    return readFileSync(join(folder, 'sshd.log'), 'utf8').trim().split('\n').at(-1) ?? '';
  } catch {
    return 'it said nothing.';
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  if (address === null || typeof address === 'string') {
    throw new MarketRefusal('not_ready', 'This computer has no port left for the machine.');
  }
  return address.port;
}
