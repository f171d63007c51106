/**
 * A machine that is reached by ssh: a real sshd with a home of its own. Where root can, it has a user that is nobody else
 * (by a list of users that only this sshd sees, so that nothing of this computer is changed); otherwise the one who tests.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { packageSettings } from './package-settings.ts';
import { type SeenProcess, allProcesses, sendSignal } from './processes.ts';
import type { FarPlace } from './far-network.ts';
import { roomyFolder } from './roomy-folder.ts';
import { until } from './waiting.ts';

const SSHD = '/usr/sbin/sshd';
const USER = 'far';
const UID = 51_234;

export interface FarMachineOptions {
  /** Whether its user is root, with a home of its own all the same; only where there can be users. */
  readonly asRoot?: boolean;
  /** Lines for its sshd. */
  readonly sshd?: readonly string[];
  /** The login shell, where it has a user of its own. */
  readonly shell?: string;
  /** What its login shell reads first. */
  readonly bashrc?: string;
  /** Where it stands, with a network of its own; its sshd has the usual port there. */
  readonly place?: FarPlace;
  /** Variables that its sessions have. */
  readonly environment?: Readonly<Record<string, string>>;
  /** More users that stand for machines of their own, where it can have users: `far-1` and so on, each with a home. */
  readonly moreUsers?: number;
}

/** Whether a user of its own can be had here. */
export function canHaveUsers(): boolean {
  if (process.getuid?.() !== 0) {
    return false;
  }
  try {
    execFileSync('unshare', ['-m', 'mount', '--bind', '/etc/passwd', '/etc/passwd'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export class FarMachine {
  readonly folder: string;
  readonly home: string;
  readonly user: string;
  readonly hasUser: boolean;
  /** Where its sshd listens. */
  readonly host: string;
  readonly port: number;
  /** For `ssh -F`: the machine's name is `gpu-box`. */
  readonly config: string;
  readonly knownHosts: string;
  readonly key: string;
  readonly #options: FarMachineOptions;
  #sshd: ChildProcess | null = null;

  private constructor(port: number, options: FarMachineOptions) {
    this.#options = options;
    this.host = options.place?.address ?? '127.0.0.1';
    this.port = port;
    this.folder = roomyFolder('far-');
    chmodSync(this.folder, 0o755);
    this.hasUser = canHaveUsers();
    this.user = this.hasUser ? (options.asRoot === true ? 'root' : USER) : userInfo().username;
    this.home = join(this.folder, 'home');
    this.config = join(this.folder, 'config');
    this.knownHosts = join(this.folder, 'known_hosts');
    this.key = join(this.folder, 'user');
  }

  static async start(options: FarMachineOptions = {}): Promise<FarMachine> {
    const machine = new FarMachine(options.place === undefined ? await freePort() : 22, options);
    try {
      machine.#prepare();
      await machine.boot();
      return machine;
    } catch (error) {
      await machine.dispose();
      throw error;
    }
  }

  get moreUsers(): readonly { readonly name: string; readonly home: string }[] {
    return Array.from({ length: this.#options.moreUsers ?? 0 }, (_, index) => {
      const name = `${USER}-${(index + 1).toString()}`;
      return { name, home: join(this.folder, name) };
    });
  }

  get hostKey(): string {
    return readFileSync(join(this.folder, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  }

  #prepare(): void {
    mkdirSync(this.home, { mode: 0o755 });
    if (this.#options.bashrc !== undefined) {
      writeFileSync(join(this.home, '.bashrc'), this.#options.bashrc);
    }
    this.newHostKey();
    makeKey(this.key);
    writeFileSync(join(this.folder, 'authorized_keys'), readFileSync(`${this.key}.pub`));
    // The first line of a number is the one that counts.
    const uid = this.#options.asRoot === true ? 0 : UID;
    const owner = uid.toString();
    const users = [{ name: this.user, home: this.home }, ...this.moreUsers];
    const lines = users
      .map(({ name, home }) => `${name}:x:${owner}:${owner}::${home}:${this.#options.shell ?? '/bin/bash'}\n`)
      .join('');
    const others = readFileSync('/etc/passwd', 'utf8');
    writeFileSync(
      join(this.folder, 'passwd'),
      uid === 0 ? `${lines}${others.replace(/^root:.*\n/m, '')}` : `${others}${lines}`,
    );
    for (const { home } of this.hasUser ? users : []) {
      mkdirSync(home, { recursive: true, mode: 0o755 });
      chownSync(home, uid, uid);
    }
    writeFileSync(
      join(this.folder, 'sshd_config'),
      [
        ...(this.#options.sshd ?? []),
        `Port ${this.port.toString()}`,
        ...(this.#options.place === undefined ? ['ListenAddress 127.0.0.1'] : []),
        `HostKey ${join(this.folder, 'host')}`,
        `AuthorizedKeysFile ${join(this.folder, 'authorized_keys')}`,
        'StrictModes no',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        'PermitRootLogin prohibit-password',
        'UsePAM no',
        'PidFile none',
        // What is started there is found by this. Only the first SetEnv counts.
        `SetEnv ${Object.entries(this.#environment())
          .map(pair => `"${pair.join('=')}"`)
          .join(' ')}`,
        '',
      ].join('\n'),
    );
    this.trust();
    this.leadTo(this.port);
  }

  #environment(): Record<string, string> {
    return {
      FAR_MACHINE: this.folder,
      ...packageSettings(this.folder),
      ...this.#options.place?.environment,
      ...this.#options.environment,
      ...(this.hasUser ? {} : { HOME: this.home }),
    };
  }

  /** Writes the configuration of `ssh` anew: another port, more settings. */
  leadTo(port: number, more: readonly string[] = []): void {
    writeFileSync(
      this.config,
      [
        'Host gpu-box',
        `  HostName ${this.host}`,
        `  Port ${port.toString()}`,
        `  User ${this.user}`,
        `  IdentityFile ${this.key}`,
        '  IdentitiesOnly yes',
        '  IdentityAgent none',
        '  HostKeyAlias gpu-box',
        `  UserKnownHostsFile ${this.knownHosts}`,
        '  GlobalKnownHostsFile none',
        ...more.map(line => `  ${line}`),
        '',
      ].join('\n'),
    );
  }

  trust(): void {
    writeFileSync(this.knownHosts, `gpu-box ${this.hostKey}\n`);
  }

  newHostKey(): void {
    rmSync(join(this.folder, 'host'), { force: true });
    makeKey(join(this.folder, 'host'));
  }

  async boot(): Promise<void> {
    if (process.getuid?.() === 0) {
      // Made by the service where one starts sshd; without it sshd ends at once.
      mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    }
    const sshd = [SSHD, '-D', '-e', '-f', join(this.folder, 'sshd_config')];
    const users = join(this.folder, 'passwd');
    const command = this.hasUser
      ? [
          'unshare',
          '-m',
          'sh',
          '-c',
          'mount --bind "$1" /etc/passwd && shift && exec "$@"',
          'sh',
          users,
          ...sshd,
        ]
      : sshd;
    const { place } = this.#options;
    const where = place === undefined ? [] : ['ip', 'netns', 'exec', place.namespace];
    const [program = '', ...args] = [...where, ...command];
    let said = '';
    this.#sshd = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#sshd.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString()));
    await until(
      'sshd listens',
      () => answers(this.host, this.port),
      30_000,
      () => said,
    );
  }

  /** Ends every session, without a word. What was started in them goes on. */
  cut(): void {
    // For each session one process of root's, and one of the user's that holds the connection.
    const sessions = childrenOf([this.#sshd?.pid]);
    for (const { pid } of [...sessions, ...childrenOf(sessions.map(({ pid }) => pid))]) {
      sendSignal(pid, 'SIGKILL');
    }
  }

  /** Ends its sshd and every session, as a machine whose network is lost. */
  async halt(): Promise<void> {
    this.cut();
    const sshd = this.#sshd;
    this.#sshd = null;
    if (sshd !== null && sshd.exitCode === null && sshd.signalCode === null) {
      const ended = new Promise(resolve => sshd.once('exit', resolve));
      sshd.kill('SIGKILL');
      await ended;
    }
  }

  /** What was started there by anybody, and still runs. */
  processes(): readonly SeenProcess[] {
    return allProcesses().filter(({ environment }) => environment.includes(`FAR_MACHINE=${this.folder}`));
  }

  async dispose(): Promise<void> {
    await this.halt();
    await until('nothing of the machine runs', () => {
      const left = this.processes();
      left.forEach(({ pid }) => sendSignal(pid, 'SIGKILL'));
      return left.length === 0;
    });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function childrenOf(parents: readonly (number | undefined)[]): readonly SeenProcess[] {
  return allProcesses().filter(({ pid, command }) => {
    try {
      const stat = readFileSync(`/proc/${pid.toString()}/stat`, 'latin1');
      return command.startsWith('sshd') && parents.includes(Number(/\) . (\d+)/.exec(stat)?.[1]));
    } catch {
      return false;
    }
  });
}

function makeKey(path: string): void {
  execFileSync('/usr/bin/ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path]);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, host);
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
