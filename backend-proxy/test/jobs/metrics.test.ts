/** What this computer keeps of a job's figures: over restarts, once each, and thinned so that nothing that matters is lost. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobIdSchema } from '@hitch/contract';
import { PointWriter } from '@hitch/contract/src/metrics/points.ts';
import { type MetricPoints, metricsQuerySchema, type SeriesName } from '@hitch/contract/src/metrics/wire.ts';
import { NotUnderstood } from '../../src/access/not-understood.ts';
import { checkPoints } from '../../src/jobs/believed.ts';
import { KeptMetrics } from '../../src/jobs/kept-metrics.ts';

const JOB = jobIdSchema.parse(`job_${'0'.repeat(26)}`);
const LOSS: SeriesName = { name: 'loss', source: 'tensorboard' };
const EPOCH: SeriesName = { name: 'epoch', source: 'output' };
const CPU: SeriesName = { name: 'cpu %', source: 'machine' };

type Numbers = readonly (readonly [series: number, step: number, value: number])[];

function pageOf(
  from: number,
  series: readonly SeriesName[],
  points: Numbers,
  more: Partial<MetricPoints> = {},
): MetricPoints {
  const writer = new PointWriter();
  points.forEach(([of, step, value]) => writer.add(of, step, 1_000 + step, value));
  const next = from + points.length;
  return {
    ...{ run: 1, series: [...series], from, next, end: next, notes: [], isOver: false },
    data: Buffer.from(writer.bytes()).toString('base64'),
    ...more,
  };
}

describe('Figures that are kept', () => {
  let folder = '';
  const all = (points = 400) => metricsQuerySchema.parse({ points });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-kept-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are there after a restart, each once, whatever comes twice', async () => {
    const first = new KeptMetrics(folder);
    const page = pageOf(
      0,
      [LOSS],
      [
        [0, 1, 0.5],
        [0, 2, 0.25],
      ],
    );
    await first.add(JOB, 1, page, 0);
    await first.add(JOB, 1, page, 0);
    const next = new KeptMetrics(folder);
    await next.add(
      JOB,
      1,
      pageOf(
        2,
        [EPOCH],
        [
          [1, 1, 1],
          [0, 3, 0.125],
        ],
        { isOver: true, notes: ['a note'] },
      ),
      1,
    );
    const columns = await new KeptMetrics(folder).columns(JOB, 1);
    assert.deepEqual(
      columns
        .shown(all())
        .map(({ name, count, last, lastStep, min, max, points }) => [
          ...[name, count, last, lastStep, min, max],
          points.values,
        ]),
      [
        ['loss', 3, 0.125, 3, 0.125, 0.5, [0.5, 0.25, 0.125]],
        ['epoch', 1, 1, 1, 1, 1, [1]],
      ],
    );
    const { isOver, notes } = await next.about(JOB, 1);
    assert.deepEqual([isOver, notes], [true, ['a note']]);
    const raw = await next.page(JOB, 1, { from: 1, most: 2, names: 1 });
    assert.deepEqual([raw.series, raw.from, raw.next, raw.end], [[EPOCH], 1, 3, 4]);
  });

  it('go on in columns that are in memory', async () => {
    const kept = new KeptMetrics(folder);
    await kept.add(JOB, 1, pageOf(0, [LOSS], [[0, 1, 0.5]]), 0);
    assert.equal((await kept.columns(JOB, 1)).all[0]?.count, 1);
    await kept.add(JOB, 1, pageOf(1, [], [[0, 2, 0.4]]), 1);
    assert.equal((await kept.columns(JOB, 1)).all[0]?.count, 2);
  });

  it('are thinned to the lowest and the highest of each part, so that no peak and no NaN is lost', async () => {
    const kept = new KeptMetrics(folder);
    const points = Array.from({ length: 8_000 }, (_, step): [number, number, number] => [
      0,
      step,
      step === 4_321 ? 99 : step === 6_000 ? Number.NaN : step / 8_000,
    ]);
    await kept.add(JOB, 1, pageOf(0, [LOSS], points), 0);
    const [series] = (await kept.columns(JOB, 1)).shown(all(100));
    assert.ok(series !== undefined && series.points.values.length <= 100);
    assert.ok(series.points.values.includes(99));
    assert.ok(series.points.values.includes(null));
    assert.deepEqual([series.points.steps[0], series.points.steps.at(-1)], [0, 7_999]);
    assert.deepEqual([series.notFinite, series.notFiniteAtStep, series.max], [1, 6_000, 99]);
    const steps = series.points.steps.map(Number);
    assert.deepEqual(
      steps,
      [...steps].sort((a, b) => a - b),
    );
  });

  it('have a small curve for lists: of the loss, as soon as there is one, and of nothing that the machine tells', async () => {
    const kept = new KeptMetrics(folder);
    await kept.add(JOB, 1, pageOf(0, [CPU], [[0, Number.NaN, 50]]), 0);
    assert.equal(await kept.glance(JOB, 1), null);
    await kept.add(JOB, 1, pageOf(1, [EPOCH], [[1, 1, 1]]), 1);
    assert.equal((await kept.glance(JOB, 1))?.name, 'epoch');
    const many = Array.from({ length: 1_000 }, (_, step): [number, number, number] => [
      2,
      step,
      1_000 - step,
    ]);
    await kept.add(JOB, 1, pageOf(2, [LOSS], many.slice(0, 600)), 2);
    await kept.add(JOB, 1, pageOf(602, [], many.slice(600)), 3);
    const glance = await new KeptMetrics(folder).glance(JOB, 1);
    assert.ok(glance !== null && glance.values.length <= 64 && glance.values.length > 30);
    assert.deepEqual(
      [glance.name, glance.values[0], glance.values.at(-1), glance.last],
      ['loss', 1_000, 1, 1],
    );
    assert.equal(glance.step, 999);
  });

  it('are believed only as they go on from what is known', () => {
    const asked = { run: 1, from: 2, names: 1 };
    const right = pageOf(2, [EPOCH], [[1, 1, 1]]);
    checkPoints(asked, right);
    for (const [lie, words] of [
      [{ run: 2 }, 'figures of another run'],
      [{ from: 1 }, 'another place'],
      [{ data: 'YWIK' }, 'a part of a figure'],
      [{ next: 9 }, 'skip a part'],
      [{ end: 2 }, 'more figures than there are'],
      [{ end: 2_000_000 }, 'more figures than there are'],
      [{ data: '', next: 2 }, 'no figures where there are more'],
      [{ series: Array.from({ length: 500 }, () => EPOCH) }, 'too many names'],
    ] as const) {
      assert.throws(
        () =>
          checkPoints(asked, { ...right, ...lie, series: 'series' in lie ? [...lie.series] : right.series }),
        (error: unknown) => error instanceof NotUnderstood && error.message.includes(words),
      );
    }
  });
});
