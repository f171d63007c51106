/**
 * Outputs that draw nothing and make others work: libraries that a plot's page loads in an earlier cell. Each output has
 * a frame of its own, so every later frame of that kernel runs these first.
 */
import type { ISignal } from '@lumino/signaling';
import type { ClusterComms } from './comms.ts';
import type { Bundle, Framed } from './framed.ts';
import { textOf } from './framed.ts';

/** Bokeh's and HoloViews' inline libraries are 2 to 6 MB. */
const MOST_CHARACTERS = 48_000_000;
const MOST_LOADERS = 100;
/** A script of this size that stands alone is a library written out, as `Javascript(lib=…)` and bundlers do. */
const LIBRARY_CHARACTERS = 20_000;

/** What draws nothing, by how it begins, and where that ends; null where it is whole already. */
const INVISIBLE: readonly (readonly [begins: RegExp, ends: RegExp | null])[] = [
  [/\s+/y, null],
  [/<script\b/iy, /<\/script\s*>/gi],
  [/<style\b/iy, /<\/style\s*>/gi],
  [/<!--/y, /-->/g],
  [/<(?:link|meta)\b[^>]*>/iy, null],
];

/** Where `html` goes on after what draws nothing at this place; null where something is drawn, or does not end. */
function afterInvisible(html: string, at: number): number | null {
  for (const [begins, ends] of INVISIBLE) {
    begins.lastIndex = at;
    if (begins.test(html)) {
      if (ends === null) {
        return begins.lastIndex;
      }
      ends.lastIndex = begins.lastIndex;
      return ends.test(html) ? ends.lastIndex : null;
    }
  }
  return null;
}

/** Looks at each letter once: a message may have 256 MB of them. */
function drawsNothing(html: string): boolean {
  for (let at = 0; at < html.length;) {
    const next = afterInvisible(html, at);
    if (next === null) {
      return false;
    }
    at = next;
  }
  return true;
}

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
  return types.length === 1 && html !== null && /<script\b/i.test(html) && drawsNothing(html);
}

const sizeOf = (data: Bundle): number =>
  Object.values(data).reduce<number>((sum, value) => sum + (textOf(value)?.length ?? 0), 0);

interface Kept {
  readonly framed: Framed;
  readonly size: number;
  readonly text: string;
}

/** Texts of libraries are made where their sizes are the same only: each later frame asks. */
const placeOf = (kept: readonly Kept[], data: Bundle): number => {
  const size = sizeOf(data);
  return kept.some(known => known.size === size)
    ? kept.findIndex(known => known.size === size && known.text === JSON.stringify(data))
    : -1;
};

export class Loaders {
  readonly #kernels = new Map<string, readonly Kept[]>();
  /** Of outputs without a kernel, by the notebook in which they stand: it goes with that. */
  readonly #places = new WeakMap<object, readonly Kept[]>();

  /** @param restarted kernels, by their ids, whose process is another one now: it has loaded nothing yet. */
  constructor(restarted: ISignal<unknown, string>) {
    restarted.connect((_, kernel) => {
      this.#kernels.delete(kernel);
    });
  }

  /**
   * @param place the notebook, or what else holds the output
   * @returns false where there is no room for it: later outputs of this kernel may lack it.
   */
  note(framed: Framed, place: object): boolean {
    const known = this.#known(framed, place);
    if (placeOf(known, framed.data) >= 0) {
      return true;
    }
    const text = JSON.stringify(framed.data);
    const all = known.reduce((sum, kept) => sum + kept.text.length, text.length);
    if (known.length >= MOST_LOADERS || all > MOST_CHARACTERS) {
      return false;
    }
    const next = [...known, { framed, size: sizeOf(framed.data), text }];
    if (framed.kernel === null) {
      this.#places.set(place, next);
    } else {
      this.#kernels.set(framed.kernel, next);
    }
    return true;
  }

  /** In the order in which they came, up to this one. */
  before(framed: Framed, place: object): readonly Framed[] {
    const known = this.#known(framed, place);
    const at = placeOf(known, framed.data);
    return (at < 0 ? known : known.slice(0, at)).map(kept => kept.framed);
  }

  #known({ kernel }: Framed, place: object): readonly Kept[] {
    return (kernel === null ? this.#places.get(place) : this.#kernels.get(kernel)) ?? [];
  }
}

const all = new WeakMap<ClusterComms, Loaders>();

/** Those of all kernels of clusters in this page. */
export function loadersOf(comms: ClusterComms): Loaders {
  const known = all.get(comms) ?? new Loaders(comms.restarted);
  all.set(comms, known);
  return known;
}
