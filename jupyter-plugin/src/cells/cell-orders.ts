/**
 * Which cells a kernel's notebook had, in their order. Files up to nbformat 4.4 keep no ids of cells, and of two cells with
 * one id a server gives one another: each page then makes ids anew, and only a cell's place and source say which it was.
 */
import type { IStateDB } from '@jupyterlab/statedb';
import { type BrowserStorage, KernelTexts } from './kernel-texts.ts';

/** The ids by which each cell has been known: those of the page, and of pages before it whose executions it shows. */
export type CellOrder = readonly (readonly string[])[];

const write = (order: CellOrder): string => JSON.stringify(order);

function read(text: string | undefined): CellOrder | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    const isOrder =
      Array.isArray(value) &&
      value.every(ids => Array.isArray(ids) && ids.every(id => typeof id === 'string'));
    return isOrder ? value : null;
  } catch {
    return null;
  }
}

export class CellOrders {
  readonly #texts: KernelTexts;

  constructor(state: IStateDB | null, storage: BrowserStorage | null) {
    this.#texts = new KernelTexts({ key: 'jupyterlab-hitch:cell-orders', most: 50, state, storage });
  }

  /** As the last page noted it. Null where nobody has. */
  async get(kernelId: string): Promise<CellOrder | null> {
    return read(this.#texts.here(kernelId)) ?? read(await this.#texts.kept(kernelId));
  }

  async set(kernelId: string, order: CellOrder): Promise<void> {
    const text = write(order);
    if (this.#texts.here(kernelId) !== text) {
      await this.#texts.set(kernelId, text);
    }
  }
}
