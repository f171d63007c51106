import assert from 'node:assert/strict';
import { type Execution, MOST_EXECUTIONS_JSON } from '@hitch/contract';
import { endWithin, weigh } from '../../src/agent/kernels/answer-room.ts';
import { readPage } from '../../src/agent/kernels/execution-pages.ts';
import { readExecutions } from '../../src/agent/kernels/execution-reader.ts';
import { assertTaken, entry, OneJournal } from './one-journal.ts';

const MiB = 1024 * 1024;
const SMALL = { 'text/plain': 'small' };

/** A map of so many points, each of which is a list. */
const mapOf = (points: number): object => ({
  'application/geo+json': {
    type: 'MultiPoint',
    coordinates: Array.from({ length: points }, (_, n) => [n, n]),
  },
});

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) {
    value = [value];
  }
  return value;
}

describe('hostile shapes of output: an answer that the daemon takes', function () {
  this.timeout(60_000);
  let one: OneJournal;

  beforeEach(async () => {
    one = await OneJournal.open();
  });

  afterEach(() => one.dispose());

  const request = (code: string, execution = 1): number => one.put('execute_request', { code }, execution);
  const display = (data: object, execution = 1): number =>
    one.put('display_data', { data, metadata: {} }, execution);

  /** All pages of the first execution, and the answer about all of them; each is what the daemon takes. */
  async function told(
    executions: number,
    requestSeq: number,
  ): Promise<{ pages: Execution[]; all: Execution[] }> {
    await one.journal.flush();
    const pages: Execution[] = [];
    for (let next: string | undefined, more = true; more; more = next !== undefined) {
      const page = await readPage(one.journal, 'k', entry(1, requestSeq), next);
      assertTaken([page]);
      pages.push(page);
      ({ next } = page);
    }
    const entries = Array.from({ length: executions }, (_, n) => entry(n + 1, requestSeq + n));
    const all = await readExecutions(one.journal, 'k', entries);
    assertTaken(all);
    return { pages, all };
  }

  const dataOf = (executions: readonly Execution[]): unknown[] =>
    executions.flatMap(({ outputs }) => outputs.map(({ data }) => data));
  const droppedFrom = (executions: readonly Execution[]): number =>
    executions.reduce((sum, { droppedBytes }) => sum + droppedBytes, 0);

  it('leaves out a map of too many lists, counts it, and shows what stands beside it', async () => {
    const first = request('');
    display(SMALL);
    display(mapOf(MOST_EXECUTIONS_JSON.containers));
    display(SMALL);
    const { pages, all } = await told(1, first);
    for (const answer of [pages, all]) {
      assert.deepEqual(dataOf(answer), [SMALL, SMALL]);
      assert.ok(droppedFrom(answer) > MiB);
    }
  });

  it('tells maps that are too many for one page on several, and of several cells the latest', async () => {
    const points = Math.floor(MOST_EXECUTIONS_JSON.containers / 3);
    const first = request('', 1);
    request('', 2);
    for (let n = 0; n < 5; n++) {
      display(mapOf(points), 1);
      display(mapOf(points), 2);
    }
    const { pages, all } = await told(2, first);
    assert.deepEqual(
      pages.map(({ outputs }) => outputs.length),
      [2, 2, 1],
    );
    assert.equal(droppedFrom(pages), 0);
    assert.deepEqual(
      all.map(({ outputs }) => outputs.length),
      [1, 1],
    );
    assert.ok(all.every(({ droppedBytes }) => droppedBytes > MiB));
  });

  it('leaves out what is nested deeper than the daemon goes', async () => {
    const first = request('');
    display({ 'application/json': nested(MOST_EXECUTIONS_JSON.depth - 5) });
    display({ 'application/json': nested(MOST_EXECUTIONS_JSON.depth - 4) });
    one.put('error', { ename: 'E', evalue: 'e', traceback: [] });
    const { pages, all } = await told(1, first);
    for (const answer of [pages, all]) {
      assert.deepEqual(
        answer.flatMap(({ outputs }) => outputs.map(({ output_type: type }) => type)),
        ['display_data', 'error'],
      );
      assert.ok(droppedFrom(answer) > 0);
    }
  });

  it('weighs what is nested too deep for JSON to be written', () => {
    const levels = 200_000;
    assert.throws(() => JSON.stringify(nested(levels)), RangeError);
    assert.equal(weigh(nested(levels)).depth, levels);
  });

  it('cuts code that is longer than an answer, says so in it, and keeps the outputs', async () => {
    const first = request(`a = 1\n${'"\u0001'.repeat(3 * MiB)}`, 1);
    display(SMALL, 1);
    const { pages, all } = await told(1, first);
    for (const answer of [pages, all]) {
      const code = answer[0]?.code ?? '';
      assert.equal(code.slice(0, 7), 'a = 1\n"');
      // Of the rest, which is long, only the end: a failure would print all of it.
      assert.match(code.slice(-70), /\n# \[Hitch\] \d\.\d MB more of this code are not shown here\.\n$/);
      assert.deepEqual(dataOf(answer), [SMALL]);
    }
  });

  it('keeps to the bound with thousands of cells of long code, and text that is long as JSON', async () => {
    const cells = 3_000;
    const first = one.journal.lastSeq + 1;
    for (let cell = 1; cell <= cells; cell++) {
      request('x'.repeat(2_000), cell);
    }
    for (let cell = 1; cell <= cells; cell++) {
      one.print('\u0001'.repeat(2_000), cell);
    }
    const { all } = await told(cells, first);
    assert.ok(all.every(({ code, outputs }) => code.includes('more of this code') && outputs.length === 1));
    assert.ok(all.every(({ droppedBytes }) => droppedBytes > 1_000));
  });

  it('keeps the end of a text where no byte is left for it', () => {
    assert.equal(endWithin('abc', -5), '');
    assert.equal(endWithin('abc', 2), '');
    assert.equal(endWithin('abc', 4), 'bc');
    assert.equal(endWithin('🙂🙂', 7), '🙂');
  });
});
