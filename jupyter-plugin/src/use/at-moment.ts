/** What was at a moment: the machine's figures then, and the cell that ran. Knows no JupyterLab. */
import type { Execution } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import type { UsePage, UseSeries } from '@hitch/contract/src/use/wire.ts';
import { nowWords } from '@hitch/contract/src/use/words.ts';

/** Seconds matter: a cell may be shorter than a minute. */
const clockWithSeconds = (atMs: number): string =>
  `${format.clock(atMs)}:${new Date(atMs).getSeconds().toString().padStart(2, '0')}`;

type Ran = Pick<Execution, 'startedAtMs' | 'endedAtMs' | 'executionCount'>;

/** The execution that ran then; of several in turn the last that began. */
export function ranAt(executions: readonly Ran[], atMs: number): Ran | null {
  return (
    executions.findLast(
      ({ startedAtMs, endedAtMs }) =>
        startedAtMs !== null && startedAtMs <= atMs && (endedAtMs === null || endedAtMs >= atMs),
    ) ?? null
  );
}

/** The page as it was up to one sample. */
const upTo = (page: UsePage, at: number): UsePage => ({
  ...page,
  timesMs: page.timesMs.slice(0, at + 1),
  series: page.series.map(each => ({ ...each, values: each.values.slice(0, at + 1) })),
});

export interface Moment {
  readonly time: string;
  readonly figures: string;
  /** The number before the cell, `12` of `[12]`; null: no cell ran. */
  readonly cell: number | null;
}

/** @param at the sample's number. */
export function momentAt(page: UsePage, executions: readonly Ran[], at: number): Moment | null {
  const atMs = page.timesMs[at];
  return atMs === undefined
    ? null
    : {
        time: clockWithSeconds(atMs),
        figures: nowWords(upTo(page, at)),
        cell: ranAt(executions, atMs)?.executionCount ?? null,
      };
}

/** What the small plot draws: all GPUs as one mean, else the processor; a percentage each. */
export function glanceValues({ timesMs, series }: UsePage): (number | null)[] {
  const busy = series.filter(({ of, kind }) => of === 'gpu' && kind === 'busy');
  const drawn = busy.length > 0 ? busy : series.filter(({ of, kind }) => of === 'machine' && kind === 'cpu');
  return timesMs.map((_, at) => meanAt(drawn, at));
}

function meanAt(series: readonly UseSeries[], at: number): number | null {
  const known = series.flatMap(({ values }) => values[at] ?? []);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
