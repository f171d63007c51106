/**
 * JSON that keeps its numbers: `2.0`, `1e-07` and whole numbers beyond 2^53 are other values, or none, in JavaScript, and
 * somebody else's results. They are read as `JSON.rawJSON`, and written as Python's `json` writes them, which is what
 * Jupyter saves notebooks with.
 */

/** Of the language since V8 11.4; TypeScript's libraries do not have it yet. */
declare global {
  interface RawJson {
    readonly rawJSON: string;
  }
  interface JSON {
    rawJSON(text: string): RawJson;
    isRawJSON(value: unknown): value is RawJson;
  }
}

/** A number that JavaScript writes in another way than Python, or what looks like one inside of a text. */
const AT_RISK = /(?<![.\d])\d{16}|\d[eE][-+\d]|\.\d*0(?!\d)|\b0\.0000/;
const IS_WHOLE = /^-?\d+$/;

/** As Python's `repr` writes it: the fewest digits that mean the same, with a point or an exponent. */
function floatText(value: number): string {
  if (Object.is(value, -0)) {
    return '-0.0';
  }
  const [digits = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    return `${digits}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent).toString().padStart(2, '0')}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

function kept(value: number, source: string): number | RawJson {
  if (IS_WHOLE.test(source)) {
    return Number.isSafeInteger(value) ? value : JSON.rawJSON(source);
  }
  const text = Number.isFinite(value) ? floatText(value) : source;
  return text === String(value) ? value : JSON.rawJSON(text);
}

/** @throws SyntaxError as `JSON.parse`, and RangeError for what is nested deeper than anything can write. */
export function readJson(text: string): unknown {
  // To look at each value takes ten times as long.
  if (!AT_RISK.test(text)) {
    return JSON.parse(text);
  }
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? kept(value, context?.source ?? String(value)) : value,
  );
}

/** Python sorts by code points, JavaScript by halves of them. */
const byCodePoints = ([one]: [string, unknown], [other]: [string, unknown]): number =>
  Buffer.compare(Buffer.from(one), Buffer.from(other));

/** With sorted keys and an indent of one, as notebooks are saved. */
export function writeJson(value: unknown, indent = ''): string {
  if (JSON.isRawJSON(value)) {
    return value.rawJSON;
  }
  if (typeof value !== 'object' || value === null) {
    return JSON.stringify(value);
  }
  const deeper = `${indent} `;
  const [open, close, items] = Array.isArray(value)
    ? ['[', ']', value.map(item => writeJson(item, deeper))]
    : ['{', '}', membersOf(value, deeper)];
  return items.length === 0
    ? `${open}${close}`
    : `${open}\n${deeper}${items.join(`,\n${deeper}`)}\n${indent}${close}`;
}

const membersOf = (value: object, indent: string): string[] =>
  Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(byCodePoints)
    .map(([key, member]) => `${JSON.stringify(key)}: ${writeJson(member, indent)}`);
