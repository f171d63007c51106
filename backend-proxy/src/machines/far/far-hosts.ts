/**
 * The one place that makes a way in out of what networks say of their machines: whoever rents them, they are reached,
 * believed and set up alike.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { shownName, sshUserSchema } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { HostError, type Host, type MachineAddress } from '../../access/host.ts';
import type { Shells } from '../../access/tunnel/far-shells.ts';
import type { FarTarget } from '../../access/tunnel/target.ts';
import type { SshAddress } from '../../ledger/records.ts';
import { keysIn, proveHostKey } from './first-contact.ts';
import type { Promised } from './place.ts';
import { LastLooks } from './last-look.ts';
import { asRented } from './rented-problem.ts';
import { SharedWork } from './shared-work.ts';
import { SshHost } from './ssh-host.ts';
import { isKeyRefused, overSsh, runWith } from './far-programs.ts';
import { AUTHORIZE } from './program-texts.ts';
import { accessTokenOf, webAddressOf } from './web-access.ts';
import { isNameable, proxyCommand, unnameable } from '../../access/ssh/entries.ts';

export interface FarHostsOptions {
  readonly shells: Shells;
  readonly clock: Clock;
  /** A machine of the user's own, by its name in their configuration of `ssh`. */
  readonly ownTarget: (name: string) => FarTarget;
  /** Lists of host keys stand here, one a machine; nothing else does. */
  readonly folder: string;
  /** The private key that opens a cluster's machines. */
  readonly keyOf: (clusterId: string) => string;
  /** What `ssh` starts to reach a machine by a web address: a file, which is given the address and a file with its token. */
  readonly webProxy: string;
}

/** One machine, as its network and its record say it. */
export interface FarMachine {
  readonly clusterId: string;
  /** Names its folder there and tags its processes. */
  readonly ref: string;
  readonly ssh: SshAddress;
  /** Where it was reached before, with the key that is believed there; null: never. */
  readonly known: MachineAddress | null;
  /** What proves its host key; null: nothing was sent. */
  readonly secret: string | null;
  /** What it was taken for; null: whatever it has. */
  readonly promised: Promised | null;
  /** Where the other machines of its purchase reach it. */
  readonly privateAddress: string | null;
}

type Rented = Exclude<SshAddress, { kind: 'own' }>;

type Believed = Pick<MachineAddress, 'hostKey' | 'proof'>;

export class FarHosts {
  readonly #options: FarHostsOptions;
  /** Of those who come at once each would wait for a key in the other's list, and end the other's connection. */
  readonly #meetings = new SharedWork<Believed>();
  #met = 0;
  readonly #looks = new LastLooks();

  constructor(options: FarHostsOptions) {
    this.#options = options;
    // Written anew whenever a machine is dialled.
    rmSync(options.folder, { recursive: true, force: true });
  }

  /**
   * The way in. Where nothing says yet which host key is the machine's, it is met first; else nobody is asked anything, and
   * whether it answers shows when the host is used. @throws HostError for a machine that is not the one that was rented.
   */
  async host(machine: FarMachine, signal: AbortSignal): Promise<Host> {
    const { ssh, known } = machine;
    if (ssh.kind === 'own') {
      const address = {
        at: ssh.name,
        hostKey: null,
        ssh,
        proof: null,
        privateAddress: machine.privateAddress,
      };
      return this.#host(machine, this.#options.ownTarget(ssh.name), { address, lease: ssh.lease });
    }
    checkAddress(ssh);
    checkDoor(machine, ssh);
    if (ssh.hostKeys !== null) {
      return this.#rented(machine, ssh, { hostKey: ssh.hostKeys.join('\n'), proof: 'named' });
    }
    const { hostKey = null, proof = null } = known ?? {};
    return this.#rented(
      machine,
      ssh,
      hostKey === null ? await this.#meet(machine, ssh, signal) : { hostKey, proof },
    );
  }

  /**
   * Puts the cluster's key beside the keys that the machine lets in, over one connection by a person's own key. `ssh` alone reads
   * that file, or has its key from the person's agent. @returns where the machine was reached, and which host key answered
   * @throws HostError in words for that person
   */
  async letInWith(
    machine: FarMachine,
    { identityFile, publicKey }: { readonly identityFile: string; readonly publicKey: string },
    signal: AbortSignal,
  ): Promise<MachineAddress> {
    const { ssh, privateAddress } = machine;
    if (ssh.kind === 'own') {
      throw new HostError('It is one of your own machines already.', { fatal: true });
    }
    checkAddress(ssh);
    checkDoor(machine, ssh);
    const list = this.#listFile(machine, `first-${(++this.#met).toString()}`);
    const named = ssh.hostKeys;
    this.#write(list, (named ?? []).map(key => `${aliasOf(machine)} ${key}\n`).join(''));
    const target: FarTarget = {
      ...this.#target(machine, ssh, list),
      id: `${machine.ref} by a person's own key, ${this.#met.toString()}`,
      settings: settingsFor(machine, ssh, {
        way: this.#wayTo(machine, ssh),
        list,
        identityFile,
        mayAskAgent: true,
      }),
      isFirst: named === null,
    };
    const { shells } = this.#options;
    try {
      return await byOwnKey(target.name, identityFile, () =>
        shells.use(target, signal, async shell => {
          const hostKey = named?.join('\n') ?? keysIn(readFileSync(list, 'utf8'))[0] ?? null;
          const { code, lines, said } = await runWith(shell, AUTHORIZE, { KEY: publicKey.trim() }, signal);
          if (code !== 0 || !lines.includes('::ok')) {
            throw new HostError(
              `${shownName(shell.name)} did not take the cluster’s key: ${shownName(said.split('\n').at(-1) ?? '')}`,
              { fatal: true },
            );
          }
          const proof = named === null ? 'first_contact' : 'named';
          return { at: placeOf(ssh), hostKey, proof, ssh, privateAddress };
        }),
      );
    } finally {
      await shells.drop(target);
      rmSync(list, { force: true });
    }
  }

  /** Its machines are gone: so is what was written to reach them. */
  forget(clusterId: string): void {
    this.#looks.forget(`${clusterId}-`);
    try {
      readdirSync(this.#options.folder)
        .filter(name => name.startsWith(`${clusterId}-`))
        .forEach(name => rmSync(join(this.#options.folder, name), { force: true }));
    } catch {
      // None was ever written.
    }
  }

  #rented(machine: FarMachine, ssh: Rented, believed: Believed): Host {
    const address = { at: placeOf(ssh), ...believed, ssh, privateAddress: machine.privateAddress };
    return this.#host(machine, this.#believing(machine, ssh, believed), { address, lease: null });
  }

  /** A way leads to one place and the host key that is believed there. */
  #believing(machine: FarMachine, ssh: Rented, { hostKey }: Believed): FarTarget {
    const list = this.#listFile(machine, 'known');
    const keys = hostKey?.split('\n') ?? [];
    this.#write(list, keys.map(key => `${aliasOf(machine)} ${key}\n`).join(''));
    return { ...this.#target(machine, ssh, list), id: [machine.ref, placeOf(ssh), ...keys].join(' ') };
  }

  #host(
    { clusterId, ref, promised }: FarMachine,
    target: FarTarget,
    { address, lease }: { address: MachineAddress; lease: string | null },
  ): Host {
    return new SshHost({
      shells: this.#options.shells,
      clock: this.#options.clock,
      target,
      ref,
      address,
      lease,
      promised,
      last: this.#looks.of(`${clusterId}-${ref}`, address),
    });
  }

  /** @throws HostError */
  #meet(machine: FarMachine, ssh: Rented, signal: AbortSignal): Promise<Believed> {
    const who = JSON.stringify([machine.ref, placeOf(ssh), machine.secret]);
    return this.#meetings.join(who, signal, given => this.#meetNow(machine, ssh, given));
  }

  async #meetNow(machine: FarMachine, ssh: Rented, signal: AbortSignal): Promise<Believed> {
    // Of this connection alone: another key may answer at another.
    const number = ++this.#met;
    const list = this.#listFile(machine, `first-${number.toString()}`);
    this.#write(list, '');
    const target = this.#target(machine, ssh, list);
    const first = {
      ...target,
      id: `${target.id ?? ''} for the first time, ${number.toString()}`,
      isFirst: true,
    };
    const { shells } = this.#options;
    try {
      return await overSsh(() =>
        asRented(first.name, () =>
          shells.use(first, signal, async shell => {
            const [hostKey] = keysIn(readFileSync(list, 'utf8'));
            if (hostKey === undefined) {
              throw new HostError(`${shownName(shell.name)} showed no host key.`, { fatal: false });
            }
            const isProved = await proveHostKey(shell, { hostKey, secret: machine.secret }, signal);
            const believed = { hostKey, proof: isProved ? 'proved' : 'first_contact' } as const;
            await shells.adopt(first, this.#believing(machine, ssh, believed));
            return believed;
          }),
        ),
      );
    } finally {
      // One that was not adopted led to a machine that is not believed.
      await shells.drop(first);
      rmSync(list, { force: true });
    }
  }

  #target(machine: FarMachine, ssh: Rented, list: string): FarTarget {
    const identityFile = this.#options.keyOf(machine.clusterId);
    const way = this.#wayTo(machine, ssh);
    return {
      id: machine.ref,
      name: placeOf(ssh),
      destination: aliasOf(machine),
      settings: settingsFor(machine, ssh, { way, list, identityFile, mayAskAgent: false }),
      configFile: 'none',
      isRented: true,
      // A program has to start, and to meet a proxy and a gateway, before anything is heard.
      ...(ssh.kind === 'websocket' ? { connectTimeoutS: 25 } : {}),
    };
  }

  #wayTo(machine: FarMachine, ssh: Rented): readonly string[] {
    if (ssh.kind === 'rented') {
      return [`HostName=${ssh.host}`, `Port=${ssh.port.toString()}`];
    }
    const { webProxy } = this.#options;
    if (!isNameable(webProxy)) {
      throw new HostError(unnameable(webProxy), { fatal: true });
    }
    // The token stands in a file: who lists processes reads what they were started with.
    const token = this.#listFile(machine, 'access');
    this.#write(token, machine.secret === null ? '' : accessTokenOf(machine.secret));
    const program = proxyCommand(webProxy, ssh.url, token);
    return [`HostName=${new URL(ssh.url).hostname}`, `ProxyCommand=${program}`, 'ProxyUseFdpass=no'];
  }

  #listFile({ clusterId, ref }: FarMachine, what: string): string {
    return join(this.#options.folder, `${clusterId}-${ref}.${what}`);
  }

  #write(file: string, text: string): void {
    mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 });
    writeFileAtomic(file, text);
  }
}

interface Ways {
  /** What leads `ssh` there: a place, or a program. */
  readonly way: readonly string[];
  /** The list of host keys that are believed. */
  readonly list: string;
  readonly identityFile: string;
  /** A person's key may be in their agent alone, or locked without it. */
  readonly mayAskAgent: boolean;
}

const settingsFor = (
  machine: FarMachine,
  { user }: Rented,
  { way, list, identityFile, mayAskAgent }: Ways,
): readonly string[] => [
  ...way,
  `User=${user}`,
  `IdentityFile=${quoted(identityFile)}`,
  'IdentitiesOnly=yes',
  ...(mayAskAgent ? [] : ['IdentityAgent=none']),
  'PreferredAuthentications=publickey',
  `HostKeyAlias=${aliasOf(machine)}`,
  'CheckHostIP=no',
  'HashKnownHosts=no',
  `UserKnownHostsFile=${quoted(list)}`,
  'GlobalKnownHostsFile=none',
];

/** Says of a person's own key what is otherwise said of the cluster's. */
async function byOwnKey<T>(name: string, file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await overSsh(() => asRented(name, work));
  } catch (error) {
    throw isKeyRefused(error)
      ? new HostError(
          `${shownName(name)} answers, but does not let your key ${shownName(file)} in. One with a passphrase must be in an ssh-agent that Hitch’s daemon was started with.`,
          { fatal: true, cause: error },
        )
      : error;
  }
}

const aliasOf = ({ ref }: FarMachine): string => ref;

const quoted = (path: string): string => `"${path}"`;

function placeOf(ssh: Rented): string {
  if (ssh.kind === 'websocket') {
    return ssh.url;
  }
  const { host, port, user } = ssh;
  return `${user}@${host.includes(':') ? `[${host}]` : host}${port === 22 ? '' : `:${port.toString()}`}`;
}

/** It comes from a network: nothing of it may be a setting, an option or a pattern, nor anything that a shell reads. */
function checkAddress(ssh: Rented): void {
  const isSound =
    ssh.kind === 'websocket'
      ? webAddressOf(ssh.url) !== null
      : /^[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}$/.test(ssh.host) &&
        Number.isInteger(ssh.port) &&
        ssh.port > 0 &&
        ssh.port < 65_536;
  if (!isSound || !sshUserSchema.safeParse(ssh.user).success) {
    const said = ssh.kind === 'websocket' ? ssh.url : `${ssh.user}@${ssh.host}:${ssh.port.toString()}`;
    throw new HostError(`The network says that the machine is at ${shownName(said)}, which is no address.`, {
      fatal: false,
    });
  }
}

/** Of a secret that the machine does not have there is no token, and nobody is let in at its door. */
function checkDoor({ secret }: FarMachine, ssh: Rented): void {
  if (ssh.kind === 'websocket' && secret === null) {
    throw new HostError(
      `The machine at ${ssh.url} was given no secret when it was bought, so nothing opens its door: end it, and rent another.`,
      { fatal: true },
    );
  }
}
