/** Structured logs, one JSON line an entry. Only fields on the allow-list are written; everything else is left out. */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { shownJson } from '@hitch/contract/src/shown/text.ts';

/** Fields a log line may carry. A secret cannot be logged by naming it something new: unknown fields are dropped. */
const ALLOWED = new Set([
  'clusterId',
  'nodeId',
  'attemptId',
  'quoteId',
  'kernelId',
  'jobId',
  'ref',
  'provider',
  'offerId',
  'instanceId',
  'phase',
  'from',
  'to',
  'reason',
  'code',
  'status',
  'method',
  'route',
  'durationMs',
  'count',
  'bytes',
  'port',
  'pid',
  'version',
  'home',
  'error',
  'seq',
]);

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

function allowed(fields: LogFields = {}): LogFields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => ALLOWED.has(name)));
}

/** Weights as other tools know them (pino, bunyan). */
const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;
type Level = keyof typeof LEVELS;

const isLevel = (name: string): name is Level => Object.hasOwn(LEVELS, name);

/**
 * Writes to `file` (0600), or to standard error where none is given; lines below `level` (`info`) are left out. A file
 * over `maxBytes` becomes `<file>.1`, in place of the one before. A line that cannot be written (disk full) is lost;
 * nothing else is.
 */
export function createLog(options: { file?: string; level?: string; maxBytes?: number }): Log {
  const { file, level = 'info', maxBytes = Number.POSITIVE_INFINITY } = options;
  const least = LEVELS[isLevel(level) ? level : 'info'];
  const output = file === undefined ? null : new LogFile(file, maxBytes);
  const write = (name: Level) => (message: string, fields?: LogFields) => {
    if (LEVELS[name] < least) {
      return;
    }
    const time = new Date().toISOString();
    // Whoever looks at it with `tail` has a terminal in front.
    const line = `${shownJson({ level: LEVELS[name], time, ...allowed(fields), msg: message })}\n`;
    try {
      if (output === null) {
        writeSync(2, line);
      } else {
        output.write(line);
      }
    } catch {
      // Lost, as said above.
    }
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #open: { readonly descriptor: number; bytes: number } | null = null;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** @throws the file system's error. */
  write(line: string): void {
    let open = (this.#open ??= this.#start());
    if (open.bytes > this.#maxBytes) {
      closeSync(open.descriptor);
      this.#open = null;
      renameSync(this.#path, `${this.#path}.1`);
      open = this.#open = this.#start();
    }
    open.bytes += writeSync(open.descriptor, line);
  }

  #start() {
    mkdirSync(dirname(this.#path), { recursive: true });
    const descriptor = openSync(this.#path, 'a', 0o600);
    return { descriptor, bytes: fstatSync(descriptor).size };
  }
}

/** An error's message for a log line or a record: its own sentence, never a stack or a cause's payload. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const DEEPEST_CAUSE = 4;

/** A defect for the log: its sentence, where it was thrown, and what lay under it. */
export function defectText(error: unknown): string {
  const told: string[] = [];
  for (let at = error; at !== undefined && at !== null && told.length < DEEPEST_CAUSE;) {
    const place = at instanceof Error ? /\n\s+at (.+)/.exec(at.stack ?? '')?.[1] : undefined;
    told.push(place === undefined ? errorText(at) : `${errorText(at)} (${place})`);
    at = at instanceof Error ? at.cause : null;
  }
  return told.join('; because: ');
}
