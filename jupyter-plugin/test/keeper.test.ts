/** Notebooks are kept with their clusters for as long as they are open. */
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { ISessionContext } from '@jupyterlab/apputils';
import { ServerConnection } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { Keeper } from '../src/kernels/keeper.ts';
import { beReadyWithKernel, initialized } from '../src/kernels/ready.ts';
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

describe('a notebook that waits for its cluster', () => {
  /** As JupyterLab’s: ready as soon as there is nothing to start. */
  class Context {
    session: object | null = null;
    kernelPreference: { name?: string } = {};
    readonly sessionChanged = new Signal<this, unknown>(this);
    readonly kernelPreferenceChanged = new Signal<this, unknown>(this);

    get ready(): Promise<void> {
      return Promise.resolve();
    }
  }
  beReadyWithKernel(Context.prototype as unknown as ISessionContext);

  const told = async (context: Context): Promise<() => boolean> => {
    let isReady = false;
    void context.ready.then(() => (isReady = true));
    await initialized(context as unknown as ISessionContext);
    await new Promise(resolve => setImmediate(resolve));
    return () => isReady;
  };

  it('is ready for others when it has its kernel, or shall have one of this computer', async () => {
    for (const settle of [
      (context: Context) => {
        context.session = {};
        context.sessionChanged.emit(null);
      },
      (context: Context) => {
        context.kernelPreference = { name: 'python3' };
        context.kernelPreferenceChanged.emit(null);
      },
    ]) {
      const context = new Context();
      context.kernelPreference = { name: 'hitch-far--python3' };
      const isReady = await told(context);
      assert.equal(isReady(), false);
      settle(context);
      await context.ready;
      assert.equal(isReady(), true);
    }
  });

  it('is no other notebook: those are ready as ever', async () => {
    assert.equal((await told(new Context()))(), true);
  });
});
