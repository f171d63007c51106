/** Structured logs, one JSON line an entry. Only fields on the allow-list are written; everything else is left out. */
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

/** Writes to `file` (0600), or to standard error where none is given. */
export function createLog(options: { file?: string; level?: string }): Log {
  const destination = pino.destination({ dest: options.file ?? 2, sync: true, mkdir: true, mode: 0o600 });
  const logger = pino(
    { level: options.level ?? 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  );
  return {
    debug: (message, fields) => logger.debug(allowed(fields), message),
    info: (message, fields) => logger.info(allowed(fields), message),
    warn: (message, fields) => logger.warn(allowed(fields), message),
    error: (message, fields) => logger.error(allowed(fields), message),
  };
}

/** An error's message for a log line or a record: its own sentence, never a stack or a cause's payload. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
