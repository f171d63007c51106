/** Runs a template's command once on this computer, reads its figures, and ends all of it at its time. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { metricsOfLine } from '@hitch/contract/src/metrics/lines.ts';
import type { RenderedCommand } from '@hitch/contract/src/templates/render.ts';
import { processesWith } from '../agent/processes/identity.ts';

export interface RunWish {
  readonly command: RenderedCommand['work'];
  /** Absolute. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Variables of this run alone: by them processes are found that left its group, as the workers of torchrun do. */
  readonly mark: Readonly<Record<string, string>>;
  readonly withinMs: number;
  readonly clock: Clock;
  /** Ends all of it at once. */
  readonly signal: AbortSignal;
  /** Each line as it comes. */
  readonly onLine?: (line: string) => void;
  /** Asked after each line; true: it is ended there, as a machine that goes away ends it. */
  readonly endsHere?: () => boolean;
}

export interface RunEnd {
  /** `exit`: with `code` · `late`: it took longer than it may · `ended`: where it was to end · `missing`: no such program. */
  readonly how: 'exit' | 'late' | 'ended' | 'missing';
  readonly code: number | null;
  readonly signal: string | null;
  readonly seconds: number;
  /** In the order in which they were printed. */
  readonly losses: readonly number[];
  readonly steps: readonly number[];
  /** The last lines of what it printed, of both streams. */
  readonly tail: readonly string[];
}

const TAIL_LINES = 30;
const MOST_FIGURES = 100_000;

export async function oneRun(wish: RunWish): Promise<RunEnd> {
  const { command, folder, environment, mark, withinMs, clock } = wish;
  const [program = '', ...args] =
    command.kind === 'command' ? command.command : ['bash', '-eu', '-c', command.script];
  const losses: number[] = [];
  const steps: number[] = [];
  const tail: string[] = [];
  const ending: { how: RunEnd['how'] } = { how: 'exit' };
  const from = clock.monotonic();
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...environment, ...mark },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: what it starts ends with it.
    detached: process.platform !== 'win32',
  });
  const killAll = (): Promise<void> => {
    killGroup(child.pid);
    return killMarked(mark);
  };
  const end = (why: RunEnd['how']): void => {
    ending.how = ending.how === 'exit' ? why : ending.how;
    void killAll();
  };
  const heard = (line: string): void => {
    tail.push(line);
    tail.splice(0, tail.length - TAIL_LINES);
    wish.onLine?.(line);
    const row = metricsOfLine(line);
    const loss = row?.values.get('loss') ?? row?.values.get('train_loss');
    if (loss !== undefined && losses.length < MOST_FIGURES) {
      losses.push(loss);
    }
    if (row !== null && row.step !== null && steps.length < MOST_FIGURES) {
      steps.push(row.step);
    }
    if (wish.endsHere?.() === true) {
      end('ended');
    }
  };
  const reading = [child.stdout, child.stderr].map(stream => {
    const lines = createInterface({ input: stream, crlfDelay: Infinity });
    lines.on('line', heard);
    return new Promise<void>(resolve => lines.once('close', resolve));
  });
  const stop = (): void => {
    void killAll();
  };
  wish.signal.addEventListener('abort', stop);
  if (wish.signal.aborted) {
    stop();
  }
  const over = new AbortController();
  void clock.sleep(withinMs, over.signal).then(
    () => end('late'),
    () => undefined,
  );
  const { code, signal } = await new Promise<Pick<RunEnd, 'code' | 'signal'>>(resolve => {
    child.once('error', () => {
      ending.how = 'missing';
      resolve({ code: null, signal: null });
    });
    child.once('exit', (exit, killed) => resolve({ code: exit, signal: killed }));
  });
  over.abort();
  wish.signal.removeEventListener('abort', stop);
  // What it left behind would write into a folder that is about to go.
  await killAll();
  if (ending.how !== 'missing') {
    await Promise.all(reading);
  }
  wish.signal.throwIfAborted();
  return { how: ending.how, code, signal, seconds: (clock.monotonic() - from) / 1000, losses, steps, tail };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) {
    return;
  }
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

async function killMarked(variables: Readonly<Record<string, string>>): Promise<void> {
  for (const pid of await processesWith(variables)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}
