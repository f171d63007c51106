/** What a page keeps of its notebooks for the page after it. */
import type { IStateDB } from '@jupyterlab/statedb';
import { CellOrders } from './cell-orders.ts';
import { SavedPlaces } from './saved-places.ts';

/** Null where the browser gives pages none. */
function browserStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

export interface Memory {
  readonly saved: SavedPlaces;
  readonly orders: CellOrders;
}

export function openMemory(state: IStateDB | null): Memory {
  const storage = browserStorage();
  return { saved: new SavedPlaces(state, storage), orders: new CellOrders(state, storage) };
}
