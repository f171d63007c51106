/** Figures on one axis: by step where a program says steps, with the machine's laid beside them by their times. */
import assert from 'node:assert/strict';
import type { MetricSeries } from '@hitch/contract/src/metrics/wire.ts';
import { metricPicture, stepAt } from '../src/job/metric-lines.ts';

const series = (
  name: string,
  source: MetricSeries['source'],
  points: readonly (readonly [step: number | null, atMs: number, value: number | null])[],
): MetricSeries => ({
  ...{ name, source, count: points.length, first: 1, last: 1, min: 1, max: 1 },
  lastStep: points.at(-1)?.[0] ?? null,
  ...{ notFinite: 0, notFiniteAtStep: null },
  points: {
    steps: points.map(([step]) => step),
    timesMs: points.map(([, atMs]) => atMs),
    values: points.map(([, , value]) => value),
  },
});

describe('Figures on one axis', () => {
  const loss = series('loss', 'tensorboard', [
    [0, 10_000, 3],
    [10, 20_000, null],
    [20, 40_000, 1],
  ]);
  const gpu = series('gpu 0 %', 'machine', [
    [null, 5_000, 0],
    [null, 30_000, 90],
    [null, 60_000, 95],
  ]);

  it('lays what has no steps beside those that have', () => {
    const { axis, lines, from, to } = metricPicture({ series: [loss, gpu] }, 'step');
    assert.deepEqual([axis, from, to], ['step', 0, 20]);
    assert.deepEqual(
      lines[1]?.pieces[0]?.map(([x]) => x),
      [0, 15, 20],
    );
  });

  it('parts a line where a value is no number', () => {
    const { lines } = metricPicture({ series: [loss] }, 'step');
    assert.deepEqual(lines[0]?.pieces, [[[0, 3]], [[20, 1]]]);
  });

  it('shows seconds since the first value by time, and where no step is known', () => {
    assert.deepEqual(
      metricPicture({ series: [loss, gpu] }, 'time').lines[0]?.pieces.map(([point]) => point?.[0]),
      [5, 35],
    );
    const alone = metricPicture({ series: [gpu] }, 'step');
    assert.deepEqual([alone.axis, alone.from, alone.to], ['time', 0, 55]);
    assert.deepEqual(metricPicture({ series: [] }, 'step').lines, []);
  });

  it('finds the step of a moment between two', () => {
    const clock = [
      [0, 0],
      [10, 100],
      [20, 100],
      [30, 400],
    ] as const;
    assert.deepEqual(
      [-5, 0, 5, 15, 25, 99].map(atMs => stepAt(clock, atMs)),
      [0, 0, 50, 100, 250, 400],
    );
  });
});
