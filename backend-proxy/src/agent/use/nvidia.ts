/**
 * NVIDIA's GPUs over time, by two programs that stay: `nvidia-smi` says anew every few seconds what was asked of it. A start of it
 * loads the driver's library and asks for everything once, which costs many times a look.
 *
 * The names of fields are those of `nvidia-smi --help-query-gpu` and `--help-query-compute-apps` (drivers 361 to 580; the manual
 * calls the second `--query-compute-apps` too). What a driver does not know is `[N/A]`, `[Not Supported]` or `[Unknown Error]`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import { visibleGpus } from '../signals/gpus.ts';
import type { GpuUse, GpuWatch, ProcessVram } from './gpu-use.ts';

const CSV = '--format=csv,noheader,nounits';
const GPU_FIELDS = 'index,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw';
const APP_FIELDS = 'timestamp,pid,used_gpu_memory';

/** One that ended is started again after so long, twice as long each time: a driver may be loaded late. */
const AGAIN_FIRST_MS = 5_000;
const AGAIN_LONGEST_MS = 600_000;
/** Longer lines are none of its. */
const LONGEST_LINE = 2_000;

/** A line of GPU_FIELDS; null for any other. A name may hold commas. */
export function parseGpuLine(line: string): GpuUse | null {
  const fields = line.split(',').map(field => field.trim());
  const [index = '', ...rest] = fields;
  const numbers = rest.splice(-5).map(numberOf);
  const name = rest.join(', ');
  if (!/^\d{1,3}$/.test(index) || name === '' || numbers.length < 5) {
    return null;
  }
  const [busy = null, used = null, total = null, temperatureC = null, powerW = null] = numbers;
  return {
    index: Number(index),
    name,
    utilizationPercent: busy,
    vramUsedMiB: used,
    vramTotalMiB: total,
    temperatureC,
    powerW,
  };
}

/** A line of APP_FIELDS; null for any other, and for a process whose memory is not told (as on Windows). */
export function parseAppLine(line: string): (ProcessVram & { readonly look: string }) | null {
  const [look = '', pid = '', used] = line.split(',').map(field => field.trim());
  const vramMiB = numberOf(used);
  return /^\d+$/.test(pid) && vramMiB !== null && look !== '' ? { look, pid: Number(pid), vramMiB } : null;
}

/** `45`, `45.30`, `45 MiB`; null for words. */
export function numberOf(text: string | undefined): number | null {
  const digits = /^(\d+(?:\.\d+)?)/.exec(text ?? '')?.[1];
  return digits === undefined ? null : Number(digits);
}

export interface NvidiaOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Of the GPUs' figures; processes are looked at {@link appsEveryMs}. */
  readonly everyMs: number;
  readonly appsEveryMs: number;
  /** In the environment of the programs, beside the agent's own: whoever comes after a killed agent finds them by it. */
  readonly tags: Readonly<Record<string, string>>;
  readonly program?: string;
  readonly visible?: string | undefined;
}

export class NvidiaWatch implements GpuWatch {
  readonly #clock: Clock;
  readonly #gpus = new Map<number, { readonly gpu: GpuUse; readonly atMs: number }>();
  #apps: { look: string; atMs: number; processes: ProcessVram[] } = { look: '', atMs: 0, processes: [] };
  readonly #options: NvidiaOptions;
  readonly #programs: Talker[];

  constructor(options: NvidiaOptions) {
    const { clock, everyMs, appsEveryMs } = options;
    this.#options = options;
    this.#clock = clock;
    const visible = 'visible' in options ? options.visible : process.env['CUDA_VISIBLE_DEVICES'];
    const only = visibleGpus(visible);
    const talker = (query: string, ms: number, take: (line: string) => void): Talker =>
      new Talker(options, [...only, query, CSV, `--loop-ms=${ms.toString()}`], take);
    this.#programs =
      visible === ''
        ? []
        : [
            talker(`--query-gpu=${GPU_FIELDS}`, everyMs, line => this.#takeGpu(line)),
            talker(`--query-compute-apps=${APP_FIELDS}`, appsEveryMs, line => this.#takeApp(line)),
          ];
  }

  start(): void {
    this.#programs.forEach(program => program.start());
  }

  stop(): void {
    this.#programs.forEach(program => program.stop());
  }

  gpus(): readonly GpuUse[] | null {
    // A program that hangs in its driver says nothing: old figures are no figures.
    const sinceMs = this.#clock.monotonic() - 3 * this.#options.everyMs;
    const fresh = [...this.#gpus.values()].filter(({ atMs }) => atMs >= sinceMs).map(({ gpu }) => gpu);
    return fresh.length === 0 ? null : fresh.toSorted((a, b) => a.index - b.index);
  }

  processes(): readonly ProcessVram[] {
    // Where no process uses a GPU nothing is said at all.
    const isOld = this.#clock.monotonic() - this.#apps.atMs > 2.5 * this.#options.appsEveryMs;
    return isOld ? [] : this.#apps.processes;
  }

  #takeGpu(line: string): void {
    const gpu = parseGpuLine(line);
    if (gpu !== null) {
      this.#gpus.set(gpu.index, { gpu, atMs: this.#clock.monotonic() });
    }
  }

  #takeApp(line: string): void {
    const app = parseAppLine(line);
    if (app === null) {
      return;
    }
    const { look, pid, vramMiB } = app;
    if (look !== this.#apps.look) {
      this.#apps = { look, atMs: this.#clock.monotonic(), processes: [] };
    }
    this.#apps.processes.push({ pid, vramMiB });
  }
}

/** One program that says a line now and then, started again when it ends. */
class Talker {
  readonly #options: NvidiaOptions;
  readonly #args: readonly string[];
  readonly #take: (line: string) => void;
  #child: ChildProcess | null = null;
  #timer: Timer | null = null;
  #pauseMs = AGAIN_FIRST_MS;
  #isOver = false;

  constructor(options: NvidiaOptions, args: readonly string[], take: (line: string) => void) {
    this.#options = options;
    this.#args = args;
    this.#take = take;
  }

  start(): void {
    if (this.#isOver) {
      return;
    }
    const { program = 'nvidia-smi', tags, log } = this.#options;
    const child = spawn(program, this.#args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, ...tags },
    });
    this.#child = child;
    let rest = '';
    child.stdout.setEncoding('latin1');
    child.stdout.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
      lines.forEach(line => this.#take(line));
      this.#pauseMs = AGAIN_FIRST_MS;
    });
    child.once('error', error => {
      this.#child = null;
      if (!('code' in error && error.code === 'ENOENT')) {
        log.warn('GPUs cannot be watched', { error: error.message });
        this.#again();
      }
      // Else there is no such program here, and none comes while the agent runs.
    });
    child.once('exit', () => {
      this.#child = null;
      this.#again();
    });
  }

  #again(): void {
    this.#timer = this.#options.clock.setTimer(() => this.start(), this.#pauseMs);
    this.#pauseMs = Math.min(AGAIN_LONGEST_MS, this.#pauseMs * 2);
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#child?.kill();
  }
}
