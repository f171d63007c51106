/** Structured logs, one JSON line an entry. Only fields on the allow-list are written; everything else is left out. */
import { renameSync, statSync } from 'node:fs';
import { pino } from 'pino';

/** Fields a log line may carry. A secret cannot be logged by naming it something new: unknown fields are dropped. */
const ALLOWED = new Set([
  'clusterId',
  'nodeId',
  'attemptId',
  'quoteId',
  'kernelId',
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

/**
 * Writes to `file` (0600), or to standard error where none is given. A file over `maxBytes` becomes `<file>.1`, in
 * place of the one before. A log that cannot be written (disk full) is lost; nothing else is.
 */
export function createLog(options: { file?: string; level?: string; maxBytes?: number }): Log {
  const { file, maxBytes } = options;
  const destination = pino.destination({ dest: file ?? 2, sync: true, mkdir: true, mode: 0o600 });
  destination.on('error', () => undefined);
  const logger = pino(
    { level: options.level ?? 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  );
  let bytes = file === undefined ? 0 : sizeOf(file);
  destination.on('write', (written: number) => (bytes += written));
  const rotate = () => {
    if (file !== undefined && maxBytes !== undefined && bytes > maxBytes) {
      bytes = 0;
      try {
        renameSync(file, `${file}.1`);
        destination.reopen(file);
      } catch {
        // Going on in the file there is beats no log.
      }
    }
  };
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
    rotate();
    logger[level](allowed(fields), message);
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** An error's message for a log line or a record: its own sentence, never a stack or a cause's payload. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
