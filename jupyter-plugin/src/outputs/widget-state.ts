/** What the widgets of one kernel are, as their comms say it: for the frames that draw them. */
import { type Bundle, isBundle } from './framed.ts';

export type Buffers = readonly (ArrayBuffer | ArrayBufferView)[];

export interface WidgetModel {
  readonly state: Record<string, unknown>;
  readonly bytes: number;
}

/** A long training run makes three for each progress bar. */
const MOST_MODELS = 20_000;
const MOST_BYTES = 256 * 1024 * 1024;
const REFERENCE = /IPY_MODEL_([A-Za-z0-9_-]{1,100})/g;

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

const viewOf = (buffer: ArrayBuffer | ArrayBufferView): DataView =>
  ArrayBuffer.isView(buffer)
    ? new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new DataView(buffer);

export const sizeOf = (buffers: Buffers): number =>
  buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);

export class WidgetStates {
  readonly #models = new Map<string, WidgetModel>();
  #bytes = 0;
  #left = 0;

  /** How many were no longer kept because there were too many. */
  get left(): number {
    return this.#left;
  }

  get(id: string): WidgetModel | undefined {
    return this.#models.get(id);
  }

  get ids(): readonly string[] {
    return [...this.#models.keys()];
  }

  update(id: string, changes: Bundle, paths: unknown, buffers: Buffers): void {
    const known = this.#models.get(id);
    const state = { ...known?.state, ...changes };
    putBuffers(state, paths, buffers);
    const bytes = (known?.bytes ?? 0) + sizeOf(buffers);
    this.drop(id);
    this.#models.set(id, { state, bytes });
    this.#bytes += bytes;
    this.#keepWithinBounds();
  }

  drop(id: string): void {
    this.#bytes -= this.#models.get(id)?.bytes ?? 0;
    this.#models.delete(id);
  }

  clear(): void {
    this.#models.clear();
    this.#bytes = 0;
  }

  /** A model, all that it refers to, and the links between those. */
  closure(id: string): ReadonlySet<string> {
    const found = new Set<string>();
    this.#reach(id, found);
    for (let before = -1; before !== found.size;) {
      before = found.size;
      for (const [link, { state }] of this.#models) {
        if (isLink(state) && !found.has(link) && this.#refersTo(state).some(other => found.has(other))) {
          this.#reach(link, found);
        }
      }
    }
    return found;
  }

  #reach(id: string, found: Set<string>): void {
    const waiting = [id];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const model = this.#models.get(next);
      if (model !== undefined && !found.has(next)) {
        found.add(next);
        waiting.push(...this.#refersTo(model.state));
      }
    }
  }

  #refersTo(state: Bundle): readonly string[] {
    // Buffers are no references, and become empty objects here.
    return [...JSON.stringify(state).matchAll(REFERENCE)].flatMap(([, id]) => (id === undefined ? [] : [id]));
  }

  #keepWithinBounds(): void {
    for (const id of this.#models.keys()) {
      if (this.#models.size <= MOST_MODELS && this.#bytes <= MOST_BYTES) {
        return;
      }
      this.drop(id);
      this.#left += 1;
    }
  }
}

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
