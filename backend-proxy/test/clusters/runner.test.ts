import assert from 'node:assert/strict';
import { Runner, type Result } from '../../src/clusters/runner.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { openStore } from '../../src/store/open.ts';
import type { ClusterId } from '@hitch/contract';
import { cluster } from '../store/records.ts';
import { settle } from './turn.ts';

/** A runner over one stored cluster, with a reconciler that does as told. */
async function setUp(reconcile: (run: number) => Promise<Result>) {
  const clock = new VirtualClock();
  const store = await openStore({ path: ':memory:', worker: false, now: () => clock.now() });
  await store.load();
  const record = cluster();
  await store.commit({ clusters: [record] });
  const ledger = new Ledger({ clock, store, snapshot: await store.load(), titleOf: id => id });
  const runner = new Runner({ clock, log: silentLog, ledger });
  const runs: number[] = [];
  const startMs = clock.now();
  runner.add<ClusterId>({
    name: 'test',
    targets: state => [state.cluster.id],
    reconcile: () => {
      runs.push(clock.now() - startMs);
      return reconcile(runs.length);
    },
  });
  const turn = async (steps: number) => {
    for (let step = 0; step < steps; step++) {
      await settle();
      clock.step();
    }
    await settle();
  };
  return { clock, runner, runs, turn, id: record.id };
}

describe('the runner of reconcilers', () => {
  it('never runs one twice at once for a record, and runs it again for what changed meanwhile', async () => {
    let finish: () => void = () => undefined;
    const { runner, runs, turn, id } = await setUp(
      () =>
        new Promise(
          resolve =>
            (finish = () => {
              resolve({});
            }),
        ),
    );
    runner.touch(id);
    await turn(1);
    runner.touch(id);
    runner.touch(id);
    await turn(1);
    assert.equal(runs.length, 1);
    finish();
    await turn(2);
    assert.equal(runs.length, 2);
    finish();
    await turn(2);
    assert.equal(runs.length, 2);
  });

  it('looks again when it was asked to, or earlier when something changes', async () => {
    const { runner, runs, turn, id } = await setUp(() => Promise.resolve({ requeueAfterMs: 10_000 }));
    runner.touch(id);
    await turn(3);
    assert.deepEqual(runs, [0, 10_000]);
    runner.touch(id);
    await turn(1);
    assert.deepEqual(runs, [0, 10_000, 10_000]);
  });

  it('pauses longer after each failure, whatever changes meanwhile', async () => {
    const { runner, runs, turn, id } = await setUp(run =>
      run < 5 ? Promise.reject(new Error('no')) : Promise.resolve({}),
    );
    runner.touch(id);
    for (let time = 0; time < 6; time++) {
      await turn(2);
      runner.touch(id);
    }
    assert.deepEqual(runs.slice(0, 5), [0, 1_000, 3_000, 7_000, 15_000]);
  });

  it('does nothing more once it is stopped', async () => {
    const { runner, runs, turn, id } = await setUp(() => Promise.resolve({ requeueAfterMs: 1 }));
    runner.touch(id);
    await turn(1);
    runner.stop();
    runner.touch(id);
    await turn(5);
    assert.equal(runs.length, 1);
  });
});
