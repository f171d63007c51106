/** One text for each of the kernels that were used last, which outlives the page. */
import type { IStateDB } from '@jupyterlab/statedb';
import * as z from 'zod';

const schema = z.record(z.string(), z.string()).catch({});

/** The browser's own memory. */
export type BrowserStorage = Pick<Storage, 'getItem' | 'setItem'>;

export interface KernelTextsOptions {
  readonly key: string;
  /** Kernels: the ones that were noted longest ago are forgotten first. */
  readonly most: number;
  /** Is there in other browsers too, but written a second later: too late for a page that is reloaded just then. */
  readonly state: IStateDB | null;
  /** Is written at once. */
  readonly storage: BrowserStorage | null;
}

export class KernelTexts {
  readonly #options: KernelTextsOptions;
  #texts: Promise<Map<string, string>> | null = null;

  constructor(options: KernelTextsOptions) {
    this.#options = options;
  }

  /** What this browser knows. */
  here(kernelId: string): string | undefined {
    return this.#stored().get(kernelId);
  }

  /** What JupyterLab's state had when the page asked first, and what was noted here since. */
  async kept(kernelId: string): Promise<string | undefined> {
    return (await this.#load()).get(kernelId);
  }

  async set(kernelId: string, text: string): Promise<void> {
    const stored = this.#stored();
    this.#put(stored, kernelId, text);
    this.#store(stored);
    const texts = await this.#load();
    this.#put(texts, kernelId, text);
    await this.#options.state?.save(this.#options.key, Object.fromEntries(texts));
  }

  #put(texts: Map<string, string>, kernelId: string, text: string): void {
    texts.delete(kernelId);
    texts.set(kernelId, text);
    const [oldest] = texts.keys();
    if (texts.size > this.#options.most && oldest !== undefined) {
      texts.delete(oldest);
    }
  }

  /** A page without a memory fills what it can tell to be lacking. */
  #load(): Promise<Map<string, string>> {
    const { state, key } = this.#options;
    this.#texts ??= (state?.fetch(key) ?? Promise.resolve(null)).then(
      kept => new Map(Object.entries(schema.parse(kept ?? {}))),
      () => new Map<string, string>(),
    );
    return this.#texts;
  }

  /** Read anew each time: other pages of this browser write it too. */
  #stored(): Map<string, string> {
    try {
      const text = this.#options.storage?.getItem(this.#options.key) ?? '{}';
      return new Map(Object.entries(schema.parse(JSON.parse(text))));
    } catch {
      return new Map();
    }
  }

  #store(texts: ReadonlyMap<string, string>): void {
    try {
      this.#options.storage?.setItem(this.#options.key, JSON.stringify(Object.fromEntries(texts)));
    } catch {
      // A browser may refuse, or be full: the state has it a second later.
    }
  }
}
