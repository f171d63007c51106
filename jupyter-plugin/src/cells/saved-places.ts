/**
 * Up to where in its kernel's journal a notebook was saved: what had ended by then needs no filling, and what was
 * cleared by then stays cleared.
 */
import { cursorSchema, formatCursor, type KernelCursor } from '@hitch/contract';
import type { IStateDB } from '@jupyterlab/statedb';
import { type BrowserStorage, KernelTexts } from './kernel-texts.ts';

export class SavedPlaces {
  readonly #texts: KernelTexts;

  constructor(state: IStateDB | null, storage: BrowserStorage | null) {
    this.#texts = new KernelTexts({ key: 'jupyterlab-hitch:saved-places', most: 200, state, storage });
  }

  async get(kernelId: string): Promise<KernelCursor | null> {
    const here = read(this.#texts.here(kernelId));
    const kept = read(await this.#texts.kept(kernelId));
    // Another browser may have saved since.
    return here === null || (kept?.epoch === here.epoch && kept.seq > here.seq) ? kept : here;
  }

  set(kernelId: string, at: KernelCursor): Promise<void> {
    return this.#texts.set(kernelId, formatCursor(at));
  }
}

function read(text: string | undefined): KernelCursor | null {
  const parsed = cursorSchema.safeParse(text);
  return parsed.success ? parsed.data : null;
}
