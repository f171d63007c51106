/** A machine's logs as people read them: entries that are JSON become lines of text, all else stays as it is. */
import * as z from 'zod';
import { clock } from './format.ts';

const entrySchema = z.looseObject({ time: z.string(), msg: z.string(), level: z.number().optional() });

/** From here on an entry is a warning, in the numbers that Hitch, pino and bunyan give levels. */
const WARNING = 40;
const ERROR = 50;

/** What every entry has, and what says nothing to a person. */
const USUAL: ReadonlySet<string> = new Set(['time', 'msg', 'level', 'pid', 'hostname', 'v']);

/** `06:55:55 Warning: The agent serves (port 8123)`. */
function entryLine(line: string): string {
  if (!line.startsWith('{')) {
    return line;
  }
  const entry = entrySchema.safeParse(parsed(line));
  const atMs = entry.success ? Date.parse(entry.data.time) : Number.NaN;
  if (!entry.success || Number.isNaN(atMs)) {
    return line;
  }
  const { msg, level = 0, ...fields } = entry.data;
  const seconds = new Date(atMs).getSeconds().toString().padStart(2, '0');
  const weight = level >= ERROR ? 'Error: ' : level >= WARNING ? 'Warning: ' : '';
  const more = Object.entries(fields)
    .filter(([name]) => !USUAL.has(name))
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${clock(atMs, 0)}:${seconds} ${weight}${msg}${more.length === 0 ? '' : ` (${more.join(', ')})`}`;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** A log that comes piece by piece. */
export class LogText {
  #rest = '';

  /** What can be shown of it now: an entry of JSON waits for its end. */
  write(text: string): string {
    const lines = (this.#rest + text).split('\n');
    const last = lines.pop() ?? '';
    this.#rest = last.startsWith('{') ? last : '';
    return [...lines.map(entryLine), this.#rest === '' ? last : ''].join('\n');
  }

  /** What is left at the end of the log. */
  end(): string {
    const rest = entryLine(this.#rest);
    this.#rest = '';
    return rest;
  }
}

/** The end of a log, whole; the first line may be cut anywhere. */
export function logText(text: string): string {
  const log = new LogText();
  return log.write(text) + log.end();
}
