/** What a live check does about its machine when it is broken off, or cannot end it. */
import assert from 'node:assert/strict';
import { type Cluster, HitchError } from '@hitch/contract';
import { rentAndEnd } from '../../src/cli/live-check/work.ts';
import { quote } from '../store/records.ts';
import { CliHarness, FakeInterrupts } from './harness.ts';

const no = { status: 'no', reason: '', message: '', sinceMs: 0 } as const;
const yes = { ...no, status: 'yes' } as const;
const GONE: Partial<Cluster> = {
  phase: 'stopped',
  conditions: { kernel: no, engine: no, billing: no, cleanup: yes },
};
const BILLING: Cluster['conditions'] = { kernel: no, engine: no, billing: yes, cleanup: no };

describe('a live check that does not get to its end', () => {
  let harness: CliHarness;
  let interrupts: FakeInterrupts;
  beforeEach(async () => {
    harness = await CliHarness.start();
    interrupts = new FakeInterrupts();
  });
  afterEach(() => harness.close());

  const work = () => rentAndEnd(harness.context(interrupts), quote().quote, true);

  it('ends what it ordered where Ctrl-C comes before the answer to the order', async () => {
    const { clusters } = harness;
    const stopped: string[] = [];
    clusters.create = async () => {
      interrupts.press();
      return clusters.add({ phase: 'purchasing' });
    };
    clusters.stop = async id => {
      stopped.push(id);
      const over = { ...clusters.get(id), ...GONE };
      clusters.clusters.set(id, over);
      return over;
    };
    const { cluster, problem, steps } = await work();
    assert.equal(problem, 'Interrupted.');
    assert.deepEqual(stopped, [cluster?.id]);
    assert.deepEqual(
      steps.map(({ name }) => name),
      ['ordered', 'gone'],
    );
    assert.equal(interrupts.listeners, 0);
  });

  it('says that its machine costs on, and how it is ended, where nobody could be told to end it', async () => {
    const { clusters } = harness;
    clusters.create = async () =>
      clusters.add({ name: 'light-jackal', phase: 'failed', message: 'No luck.', conditions: BILLING });
    clusters.stop = async () => {
      throw new HitchError('STORAGE_FULL', 'The disk is full.');
    };
    const { problem } = await work();
    assert.match(
      problem ?? '',
      /^It did not become ready: No luck\. light-jackal was not told to end, and costs on until its limits end it: The disk is full\. .*hitch stop light-jackal --skip-save/,
    );
    assert.doesNotMatch(problem ?? '', /goes on ending it/);
  });
});
