/**
 * Up to where in its kernel's journal a notebook was saved: what had ended by then needs no filling, and what was
 * cleared by then stays cleared.
 */
import { cursorSchema, formatCursor, type KernelCursor } from '@hitch/contract';
import type { IStateDB } from '@jupyterlab/statedb';
import * as z from 'zod';

const KEY = 'jupyterlab-hitch:saved-places';
const MOST = 200;

const schema = z.record(z.string(), z.string()).catch({});

/** The browser's own memory. */
export type BrowserStorage = Pick<Storage, 'getItem' | 'setItem'>;

export class SavedPlaces {
  readonly #state: IStateDB | null;
  readonly #storage: BrowserStorage | null;
  #places: Promise<Map<string, string>> | null = null;

  /**
   * @param state is there in other browsers too, but written a second later: too late for a page that is reloaded
   * just after it was saved
   * @param storage is written at once
   */
  constructor(state: IStateDB | null, storage: BrowserStorage | null) {
    this.#state = state;
    this.#storage = storage;
  }

  async get(kernelId: string): Promise<KernelCursor | null> {
    const here = read(this.#stored().get(kernelId));
    const kept = read((await this.#load()).get(kernelId));
    // Another browser may have saved since.
    return here === null || (kept?.epoch === here.epoch && kept.seq > here.seq) ? kept : here;
  }

  async set(kernelId: string, at: KernelCursor): Promise<void> {
    const stored = this.#stored();
    put(stored, kernelId, at);
    this.#store(stored);
    const places = await this.#load();
    put(places, kernelId, at);
    await this.#state?.save(KEY, Object.fromEntries(places));
  }

  /** A page without a memory fills what it can tell to be lacking. */
  #load(): Promise<Map<string, string>> {
    this.#places ??= (this.#state?.fetch(KEY) ?? Promise.resolve(null)).then(
      kept => new Map(Object.entries(schema.parse(kept ?? {}))),
      () => new Map<string, string>(),
    );
    return this.#places;
  }

  /** Read anew each time: other pages of this browser write it too. */
  #stored(): Map<string, string> {
    try {
      const text = this.#storage?.getItem(KEY) ?? '{}';
      return new Map(Object.entries(schema.parse(JSON.parse(text))));
    } catch {
      return new Map();
    }
  }

  #store(places: ReadonlyMap<string, string>): void {
    try {
      this.#storage?.setItem(KEY, JSON.stringify(Object.fromEntries(places)));
    } catch {
      // A browser may refuse, or be full: the state has it a second later.
    }
  }
}

function read(text: string | undefined): KernelCursor | null {
  const parsed = cursorSchema.safeParse(text);
  return parsed.success ? parsed.data : null;
}

function put(places: Map<string, string>, kernelId: string, at: KernelCursor): void {
  places.delete(kernelId);
  places.set(kernelId, formatCursor(at));
  const [oldest] = places.keys();
  if (places.size > MOST && oldest !== undefined) {
    places.delete(oldest);
  }
}
