/** A real agent process for a test: started from source, asked over its socket, gone with everything it started. */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AGENT_PROTOCOL, agentStatusSchema, type AgentStatus } from '@hitch/contract';
import WebSocket from 'ws';
import { SHORT_FOLDER_FILE } from '../../src/agent/folders.ts';

const MAIN = new URL('../../src/agent/main.ts', import.meta.url).pathname;

/** The interpreter for tests with a real Jupyter Server; skips the test with a reason where there is none. */
export function pythonOrSkip(context: Mocha.Context): string {
  const python = process.env['HITCH_PYTHON'];
  if (python === undefined || !existsSync(python)) {
    console.log('      skipped: HITCH_PYTHON names no Python with Jupyter');
    context.skip();
  }
  return python ?? '';
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: unknown;
}

export class RunningAgent {
  readonly root: string;
  readonly ref: string;
  readonly token = 'token-of-a-test';
  readonly socketPath: string;
  readonly config: Record<string, unknown>;
  process: ChildProcess | null = null;

  constructor(config: Record<string, unknown> = {}) {
    this.root = mkdtempSync(join(tmpdir(), 'ha-'));
    this.ref = `hitch-test-${this.root.slice(-6).toLowerCase()}`;
    this.socketPath = join(this.root, 's', 'a.sock');
    mkdirSync(join(this.root, 's'), { mode: 0o700 });
    this.config = {
      protocol: AGENT_PROTOCOL,
      clusterId: 'clu_test',
      clusterName: 'test',
      nodeId: 'nod_test',
      ref: this.ref,
      token: this.token,
      listen: this.socketPath,
      stateFolder: join(this.root, 'state'),
      workFolder: join(this.root, 'work'),
      python: process.env['HITCH_PYTHON'] ?? 'python3',
      jupyter: false,
      journal: {},
      watchdog: { stopAtMs: null, idleMs: null },
      ...config,
    };
  }

  get work(): string {
    return join(this.root, 'work');
  }

  get state(): string {
    return join(this.root, 'state');
  }

  /** Starts the agent (again) and waits until it answers. */
  async start(): Promise<this> {
    const file = join(this.root, 'agent.json');
    writeFileSync(file, JSON.stringify(this.config), { mode: 0o600 });
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, '--config', file], {
      env: { ...process.env, HITCH_NODE: this.ref },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.process = child;
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    for (;;) {
      if (isOver(child)) {
        throw new Error(`the agent ended: ${said}`);
      }
      const answer = await this.call('GET', '/status').catch(() => null);
      if (answer?.status === 200) {
        return this;
      }
      await delay(30);
    }
  }

  call(
    method: string,
    path: string,
    body?: unknown,
    options: { headers?: Record<string, string>; bytes?: Uint8Array } = {},
  ): Promise<Answer> {
    const bytes = options.bytes ?? (body === undefined ? undefined : Buffer.from(JSON.stringify(body)));
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          socketPath: this.socketPath,
          method,
          path,
          headers: {
            authorization: `Bearer ${this.token}`,
            ...(bytes === undefined ? {} : { 'content-length': bytes.length }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...options.headers,
          },
        },
        incoming => {
          const parts: Buffer[] = [];
          incoming.on('data', (part: Buffer) => parts.push(part));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const text = Buffer.concat(parts).toString('utf8');
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              text,
              json: tryJson(text),
            });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(bytes);
    });
  }

  async status(): Promise<AgentStatus> {
    return agentStatusSchema.parse((await this.call('GET', '/status')).json);
  }

  async untilStatus(
    what: string,
    holds: (status: AgentStatus) => boolean,
    withinMs = 300_000,
  ): Promise<AgentStatus> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const status = await this.status();
      if (holds(status)) {
        return status;
      }
      if (Date.now() > deadline) {
        throw new Error(`never came: ${what}; the last status was ${JSON.stringify(status)}`);
      }
      await delay(200);
    }
  }

  socket(path: string, protocols: string[] = [], headers: Record<string, string> = {}): WebSocket {
    return new WebSocket(`ws+unix:${this.socketPath}:${path}`, protocols, {
      perMessageDeflate: false,
      headers: { authorization: `Bearer ${this.token}`, ...headers },
    });
  }

  kill(): Promise<void> {
    const child = this.process;
    this.process = null;
    return new Promise(resolve => {
      if (child === null || isOver(child)) {
        resolve();
        return;
      }
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  }

  exited(): Promise<number | null> {
    const child = this.process;
    return new Promise(resolve => {
      if (child === null || isOver(child)) {
        resolve(child?.exitCode ?? null);
        return;
      }
      child.once('exit', resolve);
    });
  }

  /** Every process of this node, as the operating system tells. */
  processes(): number[] {
    return processesTagged(this.ref);
  }

  log(name: 'agent' | 'jupyter' | 'ray'): string {
    const file = join(this.state, 'logs', `${name}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Ends the agent and everything that carries its tag, whatever state a failed test left it in. */
  async dispose(): Promise<void> {
    await this.kill();
    while (this.processes().length > 0) {
      for (const pid of this.processes()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It ended by itself.
        }
      }
      await delay(50);
    }
    const short = join(this.state, 'run', SHORT_FOLDER_FILE);
    if (existsSync(short)) {
      rmSync(readFileSync(short, 'utf8'), { recursive: true, force: true });
    }
    // What was killed may still be writing its last file.
    rmSync(this.root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** What anybody may read of a process: its arguments and its environment; '' where it has ended meanwhile. */
export function shownOf(pid: number): string {
  try {
    return ['cmdline', 'environ']
      .map(name => readFileSync(`/proc/${pid.toString()}/${name}`, 'latin1'))
      .join('');
  } catch {
    return '';
  }
}

const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

function processesTagged(ref: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(name => {
      try {
        const isZombie = /\) [ZX] /.test(readFileSync(`/proc/${name}/stat`, 'latin1'));
        return (
          !isZombie &&
          readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(`HITCH_NODE=${ref}`)
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
