import assert from 'node:assert/strict';
import type { IStateDB } from '@jupyterlab/statedb';
import type { BrowserStorage } from '../../src/cells/kernel-texts.ts';
import { SavedPlaces } from '../../src/cells/saved-places.ts';

/** The browser's memory, which outlives a page. */
function browser(): BrowserStorage & { readonly values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    getItem: key => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
  };
}

/** JupyterLab's state as a page finds it; what it keeps is written when `arrives` says so. */
function stateOf(kept: { value: unknown }, arrives = true): IStateDB {
  const state = {
    fetch: () => Promise.resolve(kept.value),
    save: (_: string, value: unknown) => {
      if (arrives) {
        kept.value = value;
      }
      return Promise.resolve();
    },
  };
  return state as unknown as IStateDB;
}

const at = (seq: number, epoch = 'e') => ({ epoch, seq });

describe('the place up to which a notebook was saved', () => {
  it('is known to a page that is reloaded before JupyterLab has kept its state', async () => {
    const storage = browser();
    const server = { value: null };
    const before = new SavedPlaces(stateOf(server, false), storage);
    await before.set('k1', at(5));
    // At once: a page that is being left runs nothing later.
    void before.set('k1', at(9));
    const after = new SavedPlaces(stateOf(server), storage);
    assert.deepEqual(await after.get('k1'), at(9));
    assert.equal(await after.get('k2'), null);
  });

  it('is known in another browser, and there the newer one counts', async () => {
    const server = { value: null };
    const mine = browser();
    await new SavedPlaces(stateOf(server), mine).set('k1', at(5));
    const theirs = new SavedPlaces(stateOf(server), browser());
    assert.deepEqual(await theirs.get('k1'), at(5));
    await theirs.set('k1', at(8));
    assert.deepEqual(await new SavedPlaces(stateOf(server), mine).get('k1'), at(8));
  });

  it('is kept for the latest kernels only, and without a browser’s memory as well', async () => {
    const storage = browser();
    const server = { value: null };
    const places = new SavedPlaces(stateOf(server), storage);
    for (let index = 0; index < 250; index++) {
      await places.set(`k${index.toString()}`, at(index));
    }
    assert.equal(await places.get('k0'), null);
    assert.deepEqual(await places.get('k249'), at(249));
    const refusing: BrowserStorage = {
      getItem: () => {
        throw new Error('not allowed');
      },
      setItem: () => {
        throw new Error('not allowed');
      },
    };
    const poor = new SavedPlaces(stateOf(server), refusing);
    await poor.set('k1', at(7));
    assert.deepEqual(await poor.get('k1'), at(7));
    storage.setItem('jupyterlab-hitch:saved-places', 'rubbish');
    assert.deepEqual(await new SavedPlaces(stateOf(server), storage).get('k1'), at(7));
    assert.equal(await new SavedPlaces(null, null).get('k1'), null);
  });
});
