/** Notebooks are kept with their clusters for as long as they are open. */
import assert from 'node:assert/strict';
import type { ISessionContext } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';
import { Keeper } from '../src/kernels/keeper.ts';
import type { IKernelRouter } from '../src/kernels/tokens.ts';
import { Waiting } from '../src/kernels/waiting.ts';

describe('the keeper of a notebook whose cluster is away', () => {
  it('waits while the notebook is open, and looks at nothing once it is closed', () => {
    const signal = () => new Signal<object, unknown>({});
    let looks = 0;
    const context = {
      get kernelPreference() {
        looks += 1;
        return { name: 'hitch-far--python3', shouldStart: false };
      },
      session: null,
      kernelPreferenceChanged: signal(),
      kernelChanged: signal(),
      sessionChanged: signal(),
      disposed: signal(),
    };
    const places = {
      specsChanged: signal(),
      runningChanged: signal(),
      named: () => null,
      addGhost: () => undefined,
    };
    const waiting = new Waiting();
    new Keeper(context as unknown as ISessionContext, { places, waiting } as unknown as IKernelRouter);
    places.runningChanged.emit(null);
    assert.deepEqual([looks, [...waiting.all.values()]], [2, ['hitch-far--python3']]);
    context.disposed.emit(null);
    places.specsChanged.emit(null);
    places.runningChanged.emit(null);
    assert.deepEqual([looks, waiting.all.size], [2, 0]);
  });
});
