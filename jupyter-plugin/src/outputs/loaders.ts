/**
 * Outputs that draw nothing and make others work: libraries that a plot's page loads in an earlier cell. Each output has
 * a frame of its own, so every later frame of that kernel runs these first.
 */
import type { Bundle, Framed } from './framed.ts';
import { textOf } from './framed.ts';

/** Bokeh's and HoloViews' inline libraries are 2 to 6 MB. */
const MOST_CHARACTERS = 48_000_000;
const MOST_LOADERS = 100;
/** A script of this size that stands alone is a library written out, as `Javascript(lib=…)` and bundlers do. */
const LIBRARY_CHARACTERS = 20_000;

const INVISIBLE = /<(script|style)\b[^]*?<\/\1\s*>|<!--[^]*?-->|<(?:link|meta)\b[^>]*>/gi;

const isScriptType = (type: string): boolean => /^(?:application|text)\/javascript$/.test(type);

export function isLoader(data: Bundle): boolean {
  const types = Object.keys(data);
  if (types.some(type => type.endsWith('_load.v0+json'))) {
    return true;
  }
  if (types.some(type => type.endsWith('_exec.v0+json'))) {
    return false;
  }
  const script = types.find(isScriptType);
  if (script !== undefined) {
    // A short one does something once, and would do it again in every later frame.
    return !types.includes('text/html') && (textOf(data[script])?.length ?? 0) >= LIBRARY_CHARACTERS;
  }
  const html = textOf(data['text/html']);
  return (
    types.length === 1 &&
    html !== null &&
    /<script\b/i.test(html) &&
    html.replace(INVISIBLE, '').trim() === ''
  );
}

const sizeOf = (data: Bundle): number =>
  Object.values(data).reduce<number>((sum, value) => sum + (textOf(value)?.length ?? 0), 0);

export class Loaders {
  readonly #kernels = new Map<string, Framed[]>();

  /** @returns false where there is no room for it: later outputs of this kernel may lack it. */
  note(framed: Framed): boolean {
    const key = framed.kernel ?? '';
    const known = this.#kernels.get(key) ?? [];
    const text = JSON.stringify(framed.data);
    if (known.some(({ data }) => JSON.stringify(data) === text)) {
      return true;
    }
    const size = [...known, framed].reduce((sum, { data }) => sum + sizeOf(data), 0);
    if (known.length >= MOST_LOADERS || size > MOST_CHARACTERS) {
      return false;
    }
    this.#kernels.set(key, [...known, framed]);
    return true;
  }

  /** In the order in which they came, up to this one. */
  before(framed: Framed): readonly Framed[] {
    const known = this.#kernels.get(framed.kernel ?? '') ?? [];
    const text = JSON.stringify(framed.data);
    const at = known.findIndex(({ data }) => JSON.stringify(data) === text);
    return at < 0 ? known : known.slice(0, at);
  }

  /** The kernel's process is another one, or has ended. */
  forget(kernel: string): void {
    this.#kernels.delete(kernel);
  }
}
