/** Approvals that wait for a person: how long, how many, and what the yes to a job begins. */
import assert from 'node:assert/strict';
import { type ApprovalId, type JobId, type JobQuote, jobSpecSchema } from '@hitch/contract';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { Approvals, MOST_WAITING } from '../../src/approvals/approvals.ts';
import { FakeClusters } from '../api/fake-clusters.ts';
import { noJobQuotes, noNetworks } from '../api/serve.ts';
import { refused } from '../refused.ts';
import { ids, START_MS } from '../store/records.ts';
import { longQuote } from './long-quote.ts';

describe('what waits for a person', () => {
  function approvals() {
    const clock = new VirtualClock(START_MS);
    const clusters = new FakeClusters();
    clusters.quoteById = () => ({ ...longQuote(), expiresAtMs: START_MS + 600_000 });
    const made = new Approvals({
      clusters,
      jobs: noJobQuotes,
      networks: noNetworks(clock),
      clock,
      ids,
      log: silentLog,
      origin: () => 'http://127.0.0.1:1',
    });
    const ask = () => made.ask({ kind: 'rent', quoteId: ids.next('quo') });
    return { clock, clusters, made, ask };
  }

  it('is over with the price it names, also for a yes that comes after', async () => {
    const { clock, clusters, made, ask } = approvals();
    const { id } = ask();
    clock.jump(600_001);
    assert.equal(made.get(id).state, 'expired');
    assert.deepEqual(made.list(), []);
    await refused(made.answer(id, true), 'CONFLICT');
    assert.throws(ask, /ten minutes old/);
    assert.equal(clusters.list().length, 0);
  });

  it('has codes of their own and an end to how many wait, with a sentence', () => {
    const { clock, made, ask } = approvals();
    const all = Array.from({ length: MOST_WAITING }, ask);
    assert.equal(new Set(all.map(({ code }) => code)).size, MOST_WAITING);
    assert.throws(ask, /20 requests are waiting for approval already/);
    made.withdraw(all[3]?.id ?? all[0]?.id ?? ids.next('apr'));
    ask();
    assert.equal(made.list().length, MOST_WAITING);
    clock.jump(600_001);
    assert.equal(made.list().length, 0);
  });

  it('is asked for again of another daemon', () => {
    const { made } = approvals();
    assert.throws(() => made.get(ids.next('apr')), /restarted since/);
  });
});

describe('a job that rents', () => {
  it('is begun by the yes, and shows what the yes covers', async () => {
    const clock = new VirtualClock(START_MS);
    const jobId = ids.next('job');
    const begun: string[] = [];
    const discarded: string[] = [];
    const made = new Approvals({
      clusters: new FakeClusters(),
      jobs: {
        get: () => ({
          ...sampleJobQuote(jobId),
          lines: ['Rent it?', 'If the machine is lost: up to 3 others'],
          yes: 'Run for up to $2.00',
        }),
        approve: id => {
          begun.push(id);
          return Promise.resolve();
        },
        discard: id => {
          discarded.push(id);
          return Promise.resolve();
        },
      },
      networks: noNetworks(clock),
      clock,
      ids,
      log: silentLog,
      origin: () => 'http://127.0.0.1:1',
    });
    for (const drop of [(id: ApprovalId) => made.answer(id, false), (id: ApprovalId) => made.withdraw(id)]) {
      await drop(made.ask({ kind: 'job', jobId }).id);
      assert.deepEqual(discarded.splice(0), [jobId], 'its name and its files are free');
    }
    const asked = made.ask({ kind: 'job', jobId });
    assert.deepEqual(asked.lines, ['Rent it?', 'If the machine is lost: up to 3 others']);
    assert.equal(asked.yes, 'Run for up to $2.00');
    assert.deepEqual(begun, []);
    const done = await made.answer(asked.id, true);
    assert.equal(done.state, 'done');
    assert.equal(done.jobId, jobId);
    assert.deepEqual(begun, [jobId]);
    assert.deepEqual(discarded, []);
  });
});

const sampleJobQuote = (id: JobId): JobQuote => ({
  id,
  name: 'train',
  createdAtMs: START_MS,
  expiresAtMs: START_MS + 600_000,
  practice: true,
  spec: jobSpecSchema.parse({ work: { kind: 'command', command: ['true'] } }),
  limits: {
    capMicroUsd: '2000000',
    maxNodePricePerHourMicroUsd: '1000000',
    lastsMs: null,
    stopAtMs: null,
    waitMs: 0,
    replacements: 3,
    saveWithinMs: 60_000,
  },
  template: null,
  files: 0,
  bytes: 0,
  quote: null,
  lines: [],
  yes: '',
});
