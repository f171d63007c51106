/** Up to where in its kernel's journal a notebook was saved: what had ended by then needs no filling. */
import { cursorSchema, formatCursor, type KernelCursor } from '@hitch/contract';
import type { IStateDB } from '@jupyterlab/statedb';
import * as z from 'zod';

const KEY = 'jupyterlab-hitch:saved-places';
const MOST = 200;

const schema = z.record(z.string(), z.string()).catch({});

export class SavedPlaces {
  readonly #state: IStateDB | null;
  #places: Promise<Map<string, string>> | null = null;

  constructor(state: IStateDB | null) {
    this.#state = state;
  }

  async get(kernelId: string): Promise<KernelCursor | null> {
    const read = cursorSchema.safeParse((await this.#load()).get(kernelId));
    return read.success ? read.data : null;
  }

  async set(kernelId: string, at: KernelCursor): Promise<void> {
    const places = await this.#load();
    places.delete(kernelId);
    places.set(kernelId, formatCursor(at));
    const [oldest] = places.keys();
    if (places.size > MOST && oldest !== undefined) {
      places.delete(oldest);
    }
    await this.#state?.save(KEY, Object.fromEntries(places));
  }

  /** A page without a memory fills what it can tell to be lacking. */
  #load(): Promise<Map<string, string>> {
    this.#places ??= (this.#state?.fetch(KEY) ?? Promise.resolve(null)).then(
      stored => new Map(Object.entries(schema.parse(stored ?? {}))),
      () => new Map<string, string>(),
    );
    return this.#places;
  }
}
