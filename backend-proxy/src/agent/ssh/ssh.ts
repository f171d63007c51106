/**
 * The way in by ssh. Nothing listens: for each connection that comes through the agent's own socket an `sshd -i` is
 * started and handed that very socket, so that its bytes pass no program on this machine but sshd.
 */
import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HitchError, type AgentConfig, type NodeSsh } from '@hitch/contract';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import type { NodeEnvironment } from '../environment/environment.ts';
import type { AgentFolders } from '../folders.ts';
import type { UpgradeRoute } from '../http/server.ts';
import { accountName, findSftpServer, findSshd, isLocked, makeEmptyFolder } from './find-sshd.ts';
import { Sessions } from './sessions.ts';
import { isPlainPath, sessionScript, sshdConfig } from './sshd-files.ts';
import { givesTerminals } from './terminals.ts';
import { Tickets } from './tickets.ts';

const run = promisify(execFile);
const CHECK_WITHIN_MS = 10_000;
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ssh\r\n\r\n';

export interface SshOptions {
  readonly config: Pick<AgentConfig, 'ref' | 'nodeId'>;
  readonly folders: Pick<AgentFolders, 'state' | 'work' | 'run' | 'logs'>;
  readonly environment: Pick<NodeEnvironment, 'sessionFile' | 'shell'>;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'secret'>;
  readonly log: Log;
  /** Somebody came in. */
  readonly touched: () => void;
  /** Where sshd is looked for; a test has another place. */
  readonly findServer?: () => string | null;
}

export class Ssh {
  readonly tickets: Tickets;
  readonly #options: SshOptions;
  readonly #files;
  readonly #sessions: Sessions;

  constructor(options: SshOptions) {
    this.#options = options;
    this.tickets = new Tickets(options.clock, () => options.ids.secret());
    const folder = join(options.folders.state, 'ssh');
    this.#files = {
      folder,
      hostKey: join(folder, 'host_key'),
      hostPublicKey: join(folder, 'host_key.pub'),
      authorizedKeys: join(folder, 'authorized_keys'),
      session: join(folder, 'session'),
      config: join(folder, 'sshd_config'),
    };
    this.#sessions = new Sessions(options.clock, join(options.folders.run, 'ssh.json'));
  }

  /** Lets the bearer of this key in and nobody else. What cannot be is a sentence in the answer, not a failure. */
  async allow(publicKey: string): Promise<NodeSsh> {
    const { work } = this.#options.folders;
    const refused = (message: string): NodeSsh => {
      return { available: false, message, hostKey: '', user: '', workFolder: work };
    };
    if (process.platform !== 'linux') {
      return refused('A workspace over SSH needs a Linux machine.');
    }
    const sshd = this.#sshd();
    if (sshd === null) {
      return refused('This machine has no SSH server: install openssh-server there.');
    }
    const odd = [this.#files.folder, work].find(path => !isPlainPath(path));
    if (odd !== undefined) {
      return refused(`sshd cannot use the folder ${odd}: its name has quotes, percent signs or backslashes.`);
    }
    const user = accountName();
    if (user === null) {
      return refused('The account on this machine has no name that ssh can log in as.');
    }
    const hostKey = this.#write(publicKey, user);
    makeEmptyFolder();
    try {
      await run(sshd, ['-t', '-f', this.#files.config], { timeout: CHECK_WITHIN_MS });
    } catch (error) {
      this.#options.log.warn('sshd refuses its configuration', { error: errorText(error) });
      return refused(`The SSH server of this machine does not start: ${lastLine(error)}`);
    }
    return { available: true, message: '', hostKey, user, workFolder: work };
  }

  readonly upgrade: UpgradeRoute = async (url, request, socket, head) => {
    if (url.pathname !== '/ssh') {
      return false;
    }
    const sshd = this.#sshd();
    if (sshd === null || !existsSync(this.#files.config)) {
      throw new HitchError('CONFLICT', 'This machine has no SSH server that was set up.');
    }
    if (!(socket instanceof Socket) || head.length > 0 || request.headers.upgrade?.toLowerCase() !== 'ssh') {
      throw new HitchError(
        'BAD_INPUT',
        'Ask with “Upgrade: ssh”, and wait for the answer before sending more.',
      );
    }
    makeEmptyFolder();
    this.#options.touched();
    // What comes before sshd has the socket would be read here and lost; nobody sends before this line is out.
    socket.write(SWITCHING, error => {
      if (error === undefined || error === null) {
        this.#handOver(sshd, socket);
      }
    });
    return true;
  };

  /** Ends what goes on over ssh. */
  async end(): Promise<void> {
    await this.#sessions.endAll();
  }

  #sshd(): string | null {
    return (this.#options.findServer ?? findSshd)();
  }

  #handOver(sshd: string, socket: Socket): void {
    const { log, folders } = this.#options;
    const child = spawn(sshd, ['-i', '-f', this.#files.config, '-E', join(folders.logs, 'sshd.log')], {
      stdio: [socket, socket, 'ignore'],
      // A group of its own: it goes on when the agent is replaced.
      detached: true,
    });
    const { pid } = child;
    child.once('error', error => {
      log.error('sshd does not start', { error: errorText(error) });
      socket.destroy();
    });
    if (pid !== undefined) {
      void this.#sessions.began(pid);
      child.once('exit', () => this.#sessions.ended(pid));
      child.unref();
      // Our end of it only; sshd has its own.
      socket.destroy();
    }
  }

  /** @returns the host's public key. */
  #write(publicKey: string, user: string): string {
    const files = this.#files;
    const { ref } = this.#options.config;
    const workFolder = this.#options.folders.work;
    mkdirSync(files.folder, { recursive: true, mode: 0o700 });
    chmodSync(files.folder, 0o700);
    if (!existsSync(files.hostKey) || !existsSync(files.hostPublicKey)) {
      const made = generateOpensshKey(`Hitch, host ${this.#options.config.nodeId}`);
      writeFileAtomic(files.hostKey, made.privateKey);
      writeFileAtomic(files.hostPublicKey, `${made.publicKey}\n`);
    }
    writeFileAtomic(files.authorizedKeys, `${publicKey}\n`);
    const facts = {
      ...files,
      user,
      ref,
      workFolder,
      sessionFile: this.#options.environment.sessionFile,
      shell: this.#options.environment.shell,
      sftpServer: findSftpServer(),
      usePam: isLocked(user),
      terminals: givesTerminals(),
    };
    writeFileAtomic(files.session, sessionScript(facts), 0o700);
    writeFileAtomic(files.config, sshdConfig(facts));
    return readFileSync(files.hostPublicKey, 'utf8').trim();
  }
}

function lastLine(error: unknown): string {
  const said =
    error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : '';
  return said.trim().split('\n').at(-1) || errorText(error);
}
