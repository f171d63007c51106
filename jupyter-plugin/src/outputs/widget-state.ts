/** What the widgets of one kernel are, as their comms say it: for the frames that draw them. */
import { type Bundle, isBundle } from './framed.ts';

export type Buffers = readonly (ArrayBuffer | ArrayBufferView)[];

export interface WidgetModel {
  readonly state: Record<string, unknown>;
}

/** A long training run makes three for each progress bar. */
const MOST_MODELS = 20_000;
const MOST_BYTES = 256 * 1024 * 1024;
/** As ipywidgets writes and reads it. */
const REFERENCE = /^IPY_MODEL_([A-Za-z0-9_-]{1,100})$/;
/** What a value takes beside its text. */
const VALUE_BYTES = 8;

const isSafeKey = (key: unknown): key is string | number =>
  (typeof key === 'number' && Number.isInteger(key) && key >= 0) ||
  (typeof key === 'string' && !['__proto__', 'constructor', 'prototype'].includes(key));

/** Puts each buffer at its path. A path that leads nowhere is left out. */
export function putBuffers(state: Record<string, unknown>, paths: unknown, buffers: Buffers): void {
  (Array.isArray(paths) ? paths : []).forEach((path: unknown, index) => {
    const buffer = buffers[index];
    if (!Array.isArray(path) || path.length === 0 || !path.every(isSafeKey) || buffer === undefined) {
      return;
    }
    let at: unknown = state;
    for (const key of path.slice(0, -1)) {
      at = typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? Reflect.get(at, key) : null;
    }
    const last = path.at(-1);
    if (typeof at === 'object' && at !== null && last !== undefined) {
      Reflect.set(at, last, viewOf(buffer));
    }
  });
}

/** Bytes of their own: a view would keep the whole message that it came in. */
const viewOf = (buffer: ArrayBuffer | ArrayBufferView): DataView =>
  ArrayBuffer.isView(buffer)
    ? new DataView(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).slice().buffer)
    : new DataView(buffer);

/** One value of a state: what it takes, about, and which models it names. */
interface Measured {
  readonly bytes: number;
  readonly references: readonly string[];
}

/** Without recursion: a stranger nests as deep as it likes. */
function measure(value: unknown): Measured {
  let bytes = 0;
  const references: string[] = [];
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    bytes += VALUE_BYTES;
    if (typeof next === 'string') {
      bytes += 2 * next.length;
      const [, id] = REFERENCE.exec(next) ?? [];
      if (id !== undefined) {
        references.push(id);
      }
    } else if (ArrayBuffer.isView(next)) {
      bytes += next.byteLength;
    } else if (typeof next === 'object' && next !== null) {
      for (const [key, inner] of Object.entries(next)) {
        bytes += 2 * key.length;
        waiting.push(inner);
      }
    }
  }
  return { bytes, references };
}

/** Whether a change names models: what they are has to come before it. */
export const namesModels = (data: unknown): boolean => measure(data).references.length > 0;

interface Kept extends WidgetModel {
  readonly measured: ReadonlyMap<string, Measured>;
  readonly bytes: number;
}

const sizeOf = (measured: ReadonlyMap<string, Measured>): number =>
  [...measured].reduce((sum, [key, { bytes }]) => sum + 2 * key.length + bytes, 0);

export class WidgetStates {
  readonly #models = new Map<string, Kept>();
  readonly #links = new Set<string>();
  readonly #mostBytes: number;
  #bytes = 0;
  #left = 0;

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** How many were no longer kept because there were too many. */
  get left(): number {
    return this.#left;
  }

  get(id: string): WidgetModel | undefined {
    return this.#models.get(id);
  }

  /** What is kept counts, and not what has come: a picture that is drawn again takes the place of the one before. */
  update(id: string, changes: Bundle, paths: unknown, buffers: Buffers): void {
    const known = this.#models.get(id);
    const state = { ...known?.state, ...changes };
    putBuffers(state, paths, buffers);
    const measured = new Map(known?.measured);
    for (const key of [...Object.keys(changes), ...firstKeys(paths)]) {
      measured.set(key, measure(state[key]));
    }
    this.drop(id);
    const bytes = sizeOf(measured);
    this.#models.set(id, { state, measured, bytes });
    this.#bytes += bytes;
    if (isLink(state)) {
      this.#links.add(id);
    }
    this.#keepWithinBounds(id);
  }

  drop(id: string): void {
    this.#bytes -= this.#models.get(id)?.bytes ?? 0;
    this.#models.delete(id);
    this.#links.delete(id);
  }

  clear(): void {
    this.#models.clear();
    this.#links.clear();
    this.#bytes = 0;
    this.#left = 0;
  }

  /** A model, all that it refers to, and the links between those. */
  closure(id: string): ReadonlySet<string> {
    const found = new Set<string>();
    this.#reach(id, found);
    for (let before = -1; before !== found.size;) {
      before = found.size;
      for (const link of this.#links) {
        if (!found.has(link) && this.#referencesOf(link).some(other => found.has(other))) {
          this.#reach(link, found);
        }
      }
    }
    return found;
  }

  #reach(id: string, found: Set<string>): void {
    const waiting = [id];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (this.#models.has(next) && !found.has(next)) {
        found.add(next);
        for (const reference of this.#referencesOf(next)) {
          waiting.push(reference);
        }
      }
    }
  }

  #referencesOf(id: string): readonly string[] {
    return [...(this.#models.get(id)?.measured.values() ?? [])].flatMap(({ references }) => references);
  }

  /** The ones that have not changed for longest go first; the newest goes alone where it is too large by itself. */
  #keepWithinBounds(newest: string): void {
    if ((this.#models.get(newest)?.bytes ?? 0) > this.#mostBytes) {
      this.#leave(newest);
    }
    for (const id of this.#models.keys()) {
      if (this.#models.size <= MOST_MODELS && this.#bytes <= this.#mostBytes) {
        return;
      }
      this.#leave(id);
    }
  }

  #leave(id: string): void {
    this.drop(id);
    this.#left += 1;
  }
}

/** The values of a state into which buffers are put. */
const firstKeys = (paths: unknown): readonly string[] =>
  (Array.isArray(paths) ? paths : []).flatMap((path: unknown) =>
    Array.isArray(path) && isSafeKey(path[0]) ? [String(path[0])] : [],
  );

const isLink = (state: Bundle): boolean =>
  state['_model_name'] === 'LinkModel' || state['_model_name'] === 'DirectionalLinkModel';

/** The states that `jupyter.widget.control` tells, each with its buffers' paths. */
export function statesOf(data: Bundle, buffers: Buffers) {
  const states = isBundle(data['states']) ? data['states'] : {};
  const paths: unknown[] = Array.isArray(data['buffer_paths']) ? data['buffer_paths'] : [];
  return Object.entries(states).flatMap(([id, value]) => {
    if (!isBundle(value) || !isBundle(value['state'])) {
      return [];
    }
    const own = paths.flatMap((path, index) => {
      const buffer = buffers[index];
      return Array.isArray(path) && path[0] === id && buffer !== undefined
        ? [{ path: path.slice(1) as unknown[], buffer }]
        : [];
    });
    const { model_name, model_module, model_module_version, state } = value;
    const names = {
      _model_name: model_name,
      _model_module: model_module,
      _model_module_version: model_module_version,
    };
    return [
      {
        id,
        state: { ...names, ...state },
        paths: own.map(({ path }) => path),
        buffers: own.map(({ buffer }) => buffer),
      },
    ];
  });
}
