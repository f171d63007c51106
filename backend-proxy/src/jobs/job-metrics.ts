/** Figures of jobs: fetched from their machines while these answer, kept here, and shown with what the machine cost meanwhile. */
import type { JobId, MicroUsd, NodeJob } from '@hitch/contract';
import type {
  JobMetrics as ShownMetrics,
  MetricPoints,
  MetricPointsQuery,
  MetricsQuery,
} from '@hitch/contract/src/metrics/wire.ts';
import type { JobRecord } from '../ledger/kinds/job.ts';
import { checkPoints } from './believed.ts';
import type { JobAgents } from './job-agents.ts';
import type { JobRecords } from './job-records.ts';
import { Column } from './metric-columns.ts';

/** Pages that one look fetches: others have their turn. */
const PAGES_A_LOOK = 16;
const COST_POINTS = 100;
const MICRO = 1_000_000;

export class JobMetrics {
  readonly #records: JobRecords;
  readonly #agents: Pick<JobAgents, 'call'>;

  constructor(records: JobRecords, agents: Pick<JobAgents, 'call'>) {
    this.#records = records;
    this.#agents = agents;
  }

  /** @param news as its machine said it. @returns whether all that there is lies here. */
  async fetch(record: JobRecord, news: NodeJob): Promise<boolean> {
    const { id, clusterId, runsBefore } = record;
    const { metrics } = this.#records;
    let pages = PAGES_A_LOOK;
    for (const { number, points, endedAtMs } of news.runs) {
      const run = number + runsBefore;
      for (;;) {
        const kept = await metrics.about(id, run);
        // The end of what a run told is asked for once it is over: more may have been read meanwhile.
        if (points === undefined || kept.isOver || (points <= kept.end && endedAtMs === null)) {
          break;
        }
        if (pages === 0) {
          return false;
        }
        pages -= 1;
        const asked = { run: number, from: kept.end, names: kept.series.length };
        const page = await this.#agents.call(clusterId, (call, options) =>
          call.jobs.metrics({ jobId: id, ...asked }, options),
        );
        checkPoints(asked, page);
        await metrics.add(id, run, page, asked.names);
        if (page.next >= page.end && !page.isOver && endedAtMs !== null) {
          return false;
        }
        if (page.next >= page.end) {
          break;
        }
      }
    }
    return true;
  }

  async shown(id: JobId, query: MetricsQuery): Promise<ShownMetrics> {
    const record = this.#records.find(id);
    const run = query.run ?? Math.max(1, record.runs.length);
    const { metrics } = this.#records;
    const [columns, { notes, isOver }] = [await metrics.columns(id, run), await metrics.about(id, run)];
    const series = columns.shown(query);
    const cost = this.#cost(record, run);
    const total = columns.all.length + (cost === null ? 0 : 1);
    const isLast = query.from + query.most >= total && query.from < total;
    return {
      ...{ run, total, notes, isOver },
      series: cost !== null && isLast ? [...series, cost.shown(query.points)].slice(0, query.most) : series,
    };
  }

  points(id: JobId, query: MetricPointsQuery): Promise<MetricPoints> {
    const record = this.#records.find(id);
    return this.#records.metrics.page(id, query.run ?? Math.max(1, record.runs.length), query);
  }

  /** Dollars since the run began, whatever else ran on the cluster; null: nothing is counted for it. */
  #cost(record: JobRecord, number: number): Column | null {
    const run = record.runs.find(each => each.number === number);
    if (run === undefined) {
      return null;
    }
    const { startedAtMs } = run;
    const endMs = run.endedAtMs ?? this.#records.nowMs();
    const amounts: (readonly [number, MicroUsd])[] = [];
    for (let at = 0; at <= COST_POINTS; at++) {
      const atMs = Math.round(startedAtMs + ((endMs - startedAtMs) * at) / COST_POINTS);
      const amount = this.#records.costBetween(record, startedAtMs, atMs);
      if (amount !== null) {
        amounts.push([atMs, amount]);
      }
    }
    if (amounts.every(([, amount]) => amount === 0n)) {
      return null;
    }
    const column = new Column({ name: 'cost $', source: 'meter' });
    amounts.forEach(([atMs, amount]) => column.add(Number.NaN, atMs, Number(amount) / MICRO));
    return column;
  }
}
