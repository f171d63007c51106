/**
 * A home of its own with a real daemon process in it: started, frozen, killed and started again as a test wishes.
 * Whatever state a test leaves it in, {@link DaemonHome.dispose} leaves nothing of it on the computer.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Cluster,
  type ClusterId,
  HitchClient,
  HitchError,
  isOver,
  type Quote,
  type QuoteRequest,
} from '@hitch/contract';
import { removeShortFolder } from '../../backend-proxy/src/agent/folders.ts';
import { findDaemon, type FoundDaemon } from '@hitch/client-node/src/find.ts';
import { readDiscovery } from '@hitch/client-node/src/discovery.ts';
import { FRUGAL_FLAGS } from '@hitch/platform/src/memory.ts';
import { HomeOnDisk } from './home-on-disk.ts';
import { nodeProcesses, sendSignal } from './processes.ts';
import { delay, until } from './waiting.ts';

const BUNDLE = fileURLToPath(new URL('../../backend-proxy/dist/hitch.mjs', import.meta.url));
/** The bundle that people run; a developer may name another one, built beside it. */
export const HITCH_PROGRAM = process.env['HITCH_TEST_PROGRAM'] ?? BUNDLE;

const STARTS_WITHIN_MS = 120_000;

/**
 * What each home has where a test says nothing else. The practice market's stock moves with the minute: two rentals of one
 * test would meet a last machine in some minutes. Selling out is the subject of tests of their own.
 */
const ALWAYS = { NODE_NO_WARNINGS: '1', HITCH_SANDBOX_STOCK: '50' };

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class DaemonHome extends HomeOnDisk {
  readonly client: HitchClient;
  readonly #environment: Record<string, string>;
  readonly #children = new Set<ChildProcess>();
  #daemon: ChildProcess | null = null;
  #said = '';

  /** @param root a folder that the test has made; else one of its own, made when something first runs in it. */
  constructor(environment: Record<string, string> = {}, root?: string) {
    super(root);
    this.#environment = environment;
    this.client = new HitchClient({
      baseUrl: () => this.place().baseUrl,
      token: () => this.place().token,
      clientId: 'test',
    });
  }

  /** Where the newest daemon listens, and its bearer, as the discovery file says. */
  place(): { readonly baseUrl: string; readonly token: string } {
    const discovery = readDiscovery(this.home);
    if (discovery === null) {
      throw new HitchError('UNREACHABLE', 'No daemon has written its discovery file.');
    }
    return { baseUrl: `http://127.0.0.1:${discovery.port.toString()}`, token: discovery.token };
  }

  get api(): HitchClient['api'] {
    return this.client.api;
  }

  get pid(): number {
    const pid = this.#daemon?.pid;
    if (pid === undefined) {
      throw new Error('no daemon was started here');
    }
    return pid;
  }

  /** What the daemon process printed since it was started. */
  get said(): string {
    return this.#said;
  }

  environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
    this.make();
    return { ...process.env, ...ALWAYS, ...this.#environment, ...more, HITCH_HOME: this.root };
  }

  /** Starts the daemon's process without waiting for it. */
  spawn(more: Record<string, string> = {}, program: readonly string[] = daemonProgram()): ChildProcess {
    const child = spawn(process.execPath, [...program], {
      env: this.environment(more),
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    this.#daemon = child;
    this.#said = '';
    const listen = (bytes: Buffer): void => {
      this.#said += bytes.toString();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** Starts the daemon and resolves once this very process answers. @throws Error with what it said. */
  async start(more: Record<string, string> = {}, program?: readonly string[]): Promise<FoundDaemon> {
    const child = this.spawn(more, program);
    return until(
      'the daemon answers',
      async () => {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`the daemon ended: ${this.#said}`);
        }
        const found = await findDaemon(this.home);
        return found?.discovery.pid === child.pid ? found : null;
      },
      STARTS_WITHIN_MS,
    );
  }

  signal(name: NodeJS.Signals): void {
    sendSignal(this.pid, name);
  }

  /** `kill -9`, and waits until the process is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Asks the daemon to end, and waits until it has. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#daemon;
    this.#daemon = null;
    await endChild(child, signal);
  }

  /** Runs the command line in this home. @param flags for Node. */
  async cli(
    args: readonly string[],
    more: Record<string, string> = {},
    flags: readonly string[] = [],
  ): Promise<Ran> {
    const child = spawn(process.execPath, [...flags, HITCH_PROGRAM, ...args], {
      env: this.environment(more),
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
    const code = await new Promise<number | null>(resolve => child.once('close', resolve));
    this.#children.delete(child);
    return { code, stdout, stderr };
  }

  quote(request: Partial<QuoteRequest>): Promise<Quote> {
    return this.api.quotes.create(request);
  }

  /** Rents without asking anybody. */
  async rent(request: Partial<QuoteRequest>, name?: string): Promise<Cluster> {
    const quote = await this.quote(request);
    return this.api.clusters.create({ quoteId: quote.id, ...(name === undefined ? {} : { name }) });
  }

  cluster(id: ClusterId): Promise<Cluster> {
    return this.api.clusters.get({ clusterId: id });
  }

  /** The first state of the cluster that `holds`. @throws Error when it failed before. */
  untilCluster(
    id: ClusterId,
    what: string,
    holds: (cluster: Cluster) => boolean,
    withinMs = 180_000,
  ): Promise<Cluster> {
    let last = '';
    return until(
      what,
      async () => {
        const cluster = await this.cluster(id).catch(passing);
        if (cluster === null || holds(cluster)) {
          return cluster;
        }
        last = `${cluster.phase}: ${cluster.message}`;
        if (cluster.phase === 'failed') {
          throw new Error(`${cluster.name} failed while waiting for: ${what}. ${cluster.message}`);
        }
        return null;
      },
      withinMs,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; the last it was is ${last}\n${this.lastWords()}`, { cause: error });
    });
  }

  untilKernel(id: ClusterId): Promise<Cluster> {
    return this.untilCluster(
      id,
      'a notebook can run',
      ({ conditions }) => conditions.kernel.status === 'yes',
    );
  }

  untilOver(id: ClusterId, withinMs?: number): Promise<Cluster> {
    return this.untilCluster(id, 'it is over', isOver, withinMs);
  }

  /** Stops without saving and waits for the confirmation. */
  async stopCluster(id: ClusterId): Promise<Cluster> {
    await this.api.clusters.stop({ clusterId: id, skipSave: true });
    return this.untilOver(id);
  }

  /** Ends the daemon and everything it rented, by force, and removes the home. */
  async dispose(): Promise<void> {
    await this.end();
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The same, but the home stays. */
  async end(): Promise<void> {
    for (const child of [...this.#children]) {
      await endChild(child, 'SIGKILL');
    }
    // A client that was killed just now may have been starting another.
    for (let daemons = this.daemons(); daemons.length > 0; daemons = this.daemons()) {
      daemons.forEach(pid => sendSignal(pid, 'SIGKILL'));
      await delay(50);
    }
    const refs = this.machines();
    const behindSshd = this.behindSshd();
    for (let round = 0; round < 200; round++) {
      const left = [...refs, ...behindSshd].flatMap(nodeProcesses);
      if (left.length === 0) {
        break;
      }
      left.forEach(({ pid }) => sendSignal(pid, 'SIGKILL'));
      await delay(50);
    }
    refs.forEach(ref => removeShortFolder(join(this.machineFolder(ref), 'state')));
    rmSync(this.home.sockets, { recursive: true, force: true });
  }
}

/** What Node is given, as clients start it (see shared/client-node/src/connect.ts). */
export function daemonProgram(): readonly string[] {
  return [...FRUGAL_FLAGS, HITCH_PROGRAM, 'daemon', '--foreground'];
}

/** For `catch`: a daemon or a cluster that does not answer at this moment is asked again. @throws every other error. */
export function passing(error: unknown): null {
  if (error instanceof HitchError && (error.code === 'UNREACHABLE' || error.code === 'UNAUTHORIZED')) {
    return null;
  }
  throw error;
}

async function endChild(child: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const gone = new Promise(resolve => child.once('exit', resolve));
  // A frozen process does not hear anything but SIGKILL.
  child.kill('SIGCONT');
  child.kill(signal);
  await gone;
}
