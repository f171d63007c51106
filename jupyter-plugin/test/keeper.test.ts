/** Notebooks are kept with their clusters for as long as they are open. */
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { ISessionContext } from '@jupyterlab/apputils';
import { ServerConnection } from '@jupyterlab/services';
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

  it('asks again when the network failed as it began, and not when the cluster said no', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const signal = () => new Signal<object, unknown>({});
      const answers = [new ServerConnection.NetworkError(new TypeError('gone')), new Error('no such kernel')];
      const asked: unknown[] = [];
      const context = {
        kernelPreference: { name: 'hitch-far--python3' },
        session: null,
        path: 'a.ipynb',
        ready: Promise.resolve(),
        changeKernel: (model: unknown) => {
          asked.push(model);
          return Promise.reject(answers[asked.length - 1] ?? new Error('asked too often'));
        },
        kernelPreferenceChanged: signal(),
        kernelChanged: signal(),
        sessionChanged: signal(),
        disposed: signal(),
      };
      const place = { sessions: { list: () => Promise.resolve([]), known: true } };
      const places = {
        specsChanged: signal(),
        runningChanged: signal(),
        named: () => ({ place, spec: 'python3' }),
      };
      const sessions = { find: () => Promise.resolve(null) };
      const waiting = new Waiting();
      const router = { places, sessions, waiting } as unknown as IKernelRouter;
      new Keeper(context as unknown as ISessionContext, router);
      for (const times of [1, 2, 2]) {
        for (let turn = 0; turn < 10; turn += 1) {
          await Promise.resolve();
        }
        assert.equal(asked.length, times);
        mock.timers.runAll();
      }
    } finally {
      mock.timers.reset();
    }
  });
});
