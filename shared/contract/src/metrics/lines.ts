/**
 * Figures in what a training prints: a JSON object on a line, or the dictionary that Hugging Face's Trainer prints
 * (`{'loss': '1.2', 'epoch': 0.4}`: transformers/trainer_callback.py, PrinterCallback.on_log). Ray puts the worker's name and
 * colours before a line (`(RayTrainWorker pid=12) `); they are taken off.
 */

export interface MetricRow {
  /** The step that the line says; null: it says none. */
  readonly step: number | null;
  readonly values: ReadonlyMap<string, number>;
}

/** Longer lines are no figures. */
const LONGEST_LINE = 20_000;
const MOST_VALUES = 200;
const STEP_NAMES = ['step', 'global_step', 'iteration', 'iter'];

// Colour codes begin with the escape character, which no pattern may hold as it is.
const COLOURS = new RegExp('\\u001B\\[[0-9;]*m', 'g');
const RAY_PREFIX = /^\s*\([A-Za-z_][^()]{0,200}\bpid=\d+[^()]{0,200}\)\s*/;

/** What a job of several nodes has before each line (python/hitch_job/nodes.py). */
const NODE_PREFIX = /^\s*\[(?:rank|node) \d+\]:?\s*/;

/** A line without colours, and without what Ray and a job of several nodes put before it. */
export const plainLine = (line: string): string =>
  line.replaceAll(COLOURS, '').replace(NODE_PREFIX, '').replace(RAY_PREFIX, '').trim();

/** @returns the figures of a line; null where it is not one of figures. */
export function metricsOfLine(line: string): MetricRow | null {
  if (line.length > LONGEST_LINE) {
    return null;
  }
  const plain = plainLine(line);
  if (!plain.startsWith('{') || !plain.endsWith('}')) {
    return null;
  }
  const read = jsonObject(plain) ?? dictionary(plain);
  if (read === null) {
    return null;
  }
  const values = new Map<string, number>();
  let step: number | null = null;
  for (const [name, value] of read) {
    const number = numberOf(value);
    if (number !== null && STEP_NAMES.includes(name)) {
      step ??= number;
    } else if (number !== null && values.size < MOST_VALUES) {
      values.set(name, number);
    }
  }
  return values.size === 0 && step === null ? null : { step, values };
}

/** transformers 5 prints figures as texts. */
function numberOf(value: unknown): number | null {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && value.trim() !== ''
        ? Number(value)
        : Number.NaN;
  return Number.isFinite(number) ? number : null;
}

function jsonObject(text: string): readonly (readonly [string, unknown])[] | null {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? Object.entries(read) : null;
  } catch {
    return null;
  }
}

const PAIR =
  /\s*(?:'([^'\\]{1,200})'|"([^"\\]{1,200})")\s*:\s*(?:'([^'\\]*)'|"([^"\\]*)"|([^\s,{}[\]'"]+))\s*(?:,|$)/y;

/** A flat dictionary as Python writes it; null for one with anything else in it. */
function dictionary(text: string): readonly (readonly [string, unknown])[] | null {
  const inner = text.slice(1, -1).trim();
  const found: (readonly [string, unknown])[] = [];
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < inner.length) {
    const pair = PAIR.exec(inner);
    if (pair === null) {
      return null;
    }
    const [, single, double, quoted, doubleQuoted, bare] = pair;
    found.push([single ?? double ?? '', quoted ?? doubleQuoted ?? bare ?? '']);
  }
  return found.length === 0 ? null : found;
}
