/** What is believed of what machines say of their jobs. */
import assert from 'node:assert/strict';
import { type JobRun, jobSpecSchema, type NodeJob } from '@hitch/contract';
import { NotUnderstood } from '../../src/access/not-understood.ts';
import { checkFinds, checkNews, checkPage, isUnclear } from '../../src/jobs/believed.ts';

const ID = 'job_01ARZ3NDEKTSV4RRFFQ69G5FAV' as NodeJob['id'];
const run = (number: number, endedAtMs: number | null = null): JobRun => ({
  number,
  startedAtMs: 1,
  endedAtMs,
  cause: endedAtMs === null ? null : 'exit',
  exitCode: endedAtMs === null ? null : 3,
  signal: null,
  peakBytes: null,
  message: '',
  leftBehind: 0,
  log: { endByte: 0, droppedBytes: 0 },
});
const spec = jobSpecSchema.parse({ work: { kind: 'command', command: ['true'] }, retries: 1 });
const news = (change: Partial<NodeJob>): NodeJob => ({
  id: ID,
  state: 'running',
  message: '',
  runs: [run(1)],
  ...change,
});
const before = (change: Partial<NodeJob> = {}) => ({ ...news(change), spec });

describe('What a machine says of a job', () => {
  it('is believed as far as it goes on from what is known', () => {
    checkNews(before({ state: 'waiting', runs: [] }), news({}));
    checkNews(before(), news({ runs: [run(1, 5), run(2)] }));
    // It was asked to end, and has not noticed.
    checkNews(before({ state: 'stopping' }), news({}));
    checkNews(before({ state: 'failed', runs: [run(1, 5)] }), news({ state: 'failed', runs: [run(1, 5)] }));
  });

  it('is refused where it is about something else, or takes back what was said', () => {
    const refused: readonly (readonly [ReturnType<typeof before>, NodeJob])[] = [
      [before(), news({ id: 'job_01ARZ3NDEKTSV4RRFFQ69G5FAW' as NodeJob['id'] })],
      [before(), news({ runs: [run(2)] })],
      [before(), news({ runs: [run(1), run(1)] })],
      [before(), news({ runs: [run(1, 2), run(2, 3), run(3)] })],
      [before(), news({ runs: [] })],
      [before(), news({ state: 'waiting' })],
      [before({ runs: [run(1, 5)] }), news({})],
      [before({ state: 'succeeded', runs: [run(1, 5)] }), news({ runs: [run(1, 5)] })],
      [before({ state: 'succeeded', runs: [run(1, 5)] }), news({ state: 'failed', runs: [run(1, 5)] })],
    ];
    for (const [known, said] of refused) {
      assert.throws(() => checkNews(known, said), NotUnderstood, JSON.stringify(said));
    }
  });
});

describe('What a machine gives of a log', () => {
  const page = { run: 1, from: 10, data: 'YWIK', next: 13, endByte: 20, isOver: false };

  it('stands where it was asked for, and moves on by what it holds', () => {
    checkPage({ run: 1, from: 10, most: 3 }, page);
    checkPage({ from: 4 }, page);
    const wrong: readonly (readonly [Parameters<typeof checkPage>[0], typeof page])[] = [
      [{ run: 2, from: 10 }, page],
      [{ from: 11 }, page],
      [{ from: 10, most: 2 }, page],
      [{ from: 10 }, { ...page, next: 12 }],
      [{ from: 10 }, { ...page, data: '', next: 13 }],
    ];
    for (const [asked, said] of wrong) {
      assert.throws(() => checkPage(asked, said), NotUnderstood);
    }
  });

  it('is searched to an end', () => {
    checkFinds({ from: 5 }, { run: 1, next: null });
    checkFinds({ from: 5 }, { run: 1, next: 6 });
    assert.throws(() => checkFinds({ from: 5 }, { run: 1, next: 5 }), NotUnderstood);
    assert.throws(() => checkFinds({ run: 2, from: 5 }, { run: 1, next: null }), NotUnderstood);
  });
});

describe('A question about a job whose answer is not understood', () => {
  it('is asked again, since the machine may have done what it was asked for', () => {
    assert.ok(isUnclear(new NotUnderstood('x')));
  });
});
