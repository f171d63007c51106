/**
 * What stands for a rented container: its first process is the shell program that a network was given, in namespaces of its own
 * for processes and mounts, as root, with a home, a `/run` and an `/etc/ssh` that are nobody else's. It has no network of its
 * own, so that the port of its door is told to it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { roomyFolder } from './roomy-folder.ts';
import { allProcesses, type SeenProcess } from './processes.ts';
import { until } from './waiting.ts';

/** Why there can be none here; null where there can. */
export function withoutContainers(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return 'a container of its own needs root on Linux';
  }
  try {
    execFileSync('unshare', ['--mount', '--pid', '--fork', '--mount-proc', 'true'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'namespaces of their own are forbidden here';
  }
}

export interface ContainerOptions {
  /** For `sh -c`. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Folders in which programs are found first. */
  readonly path?: readonly string[];
  /** Folders below root's home on this computer that it has too, such as a Python that lies there. */
  readonly keeps?: readonly string[];
}

/** Where each of its own folders lies inside. */
const OWN = { home: '/root', run: '/run', ssh: '/etc/ssh' } as const;

export class Container {
  readonly folder = roomyFolder('box-');
  readonly port: number;
  #first: ChildProcess | null = null;
  readonly #options: ContainerOptions;

  private constructor(port: number, options: ContainerOptions) {
    this.port = port;
    this.#options = options;
  }

  /** Resolves at once: its program may still have much to do before it answers at its port. */
  static async start(options: ContainerOptions): Promise<Container> {
    const container = new Container(await freePort(), options);
    container.boot();
    return container;
  }

  /** What runs in it, with everything that it started. */
  get processes(): readonly SeenProcess[] {
    return allProcesses().filter(({ environment }) =>
      environment.includes(`HITCH_DOOR_PORT=${this.port.toString()}`),
    );
  }

  get home(): string {
    return join(this.folder, 'home');
  }

  get hostKey(): string {
    return readFileSync(join(this.folder, 'ssh', 'ssh_host_ed25519_key.pub'), 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ');
  }

  /** Starts its program again, on the same disk. */
  boot(): void {
    const { program, environment, path = [], keeps = [] } = this.#options;
    const kept = keeps.map(folder => {
      const inside = join(this.home, relative(OWN.home, folder));
      mkdirSync(inside, { recursive: true, mode: 0o755 });
      return `mount --bind '${folder}' '${inside}'`;
    });
    const own = Object.entries(OWN).map(([name, inside]) => {
      mkdirSync(join(this.folder, name), { recursive: true, mode: 0o755 });
      return `mount --rbind '${join(this.folder, name)}' ${inside}`;
    });
    const mounts = [...kept, ...own];
    const first = spawn(
      'unshare',
      [
        ...['--mount', '--pid', '--fork', '--mount-proc', '--kill-child', 'sh', '-c'],
        [...mounts, 'cd /root', 'exec sh -c "$0"'].join(' && '),
        program,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: [...path, '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(
            ':',
          ),
          HOME: '/root',
          ...environment,
          HITCH_DOOR_PORT: this.port.toString(),
        },
      },
    );
    [first.stdout, first.stderr].forEach(stream =>
      stream.on('data', (bytes: Buffer) => {
        this.said = (this.said + bytes.toString('utf8')).slice(-16_384);
      }),
    );
    this.#first = first;
  }

  /** The last of what it wrote. */
  said = '';

  /** Ends its first process, and with it every other; its disk stays. */
  async stop(): Promise<void> {
    const first = this.#first;
    if (first === null) {
      return;
    }
    first.kill('SIGKILL');
    await until('its first process is gone', () => first.exitCode !== null || first.signalCode !== null);
    this.#first = null;
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  if (address === null || typeof address === 'string') {
    throw new Error('This computer has no port left.');
  }
  return address.port;
}
