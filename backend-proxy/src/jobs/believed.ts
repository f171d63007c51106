/**
 * What is believed of what a machine says of its jobs. A machine is a stranger's: an answer about something else, or one that takes
 * back what was said, is refused as a whole, and what is known stays.
 */
import { HitchError, isJobOver, type JobFinds, type JobLogPage, type NodeJob } from '@hitch/contract';
import { MOST_POINTS, MOST_SERIES, POINT_BYTES } from '@hitch/contract/src/metrics/points.ts';
import type { MetricPoints } from '@hitch/contract/src/metrics/wire.ts';
import { mustBe, NotUnderstood } from '../access/not-understood.ts';
import type { JobRecord } from '../ledger/kinds/job.ts';

/**
 * Each run has a log of its own on this computer, and each of these is bounded: so must be their number.
 * @throws NotUnderstood
 */
export function checkNews(before: Pick<JobRecord, 'id' | 'state' | 'runs' | 'spec'>, news: NodeJob): void {
  mustBe(news.id === before.id, 'another job than the one that was asked for');
  mustBe(
    news.runs.every(({ number }, at) => number === at + 1),
    'runs of a job that are not numbered from 1',
  );
  mustBe(news.runs.length <= before.spec.retries + 1, 'more runs of a job than it may have');
  mustBe(news.runs.length >= before.runs.length, 'fewer runs of a job than before');
  mustBe(
    before.runs.every(({ endedAtMs }, at) => endedAtMs === null || news.runs[at]?.endedAtMs !== null),
    'that a run which has ended goes on',
  );
  mustBe(!isJobOver(before.state) || news.state === before.state, 'that a job which is over is not');
  mustBe(news.state !== 'waiting' || news.runs.length === 0, 'that a job which ran waits to begin');
}

interface AskedPart {
  readonly run?: number | undefined;
  readonly from: number;
  readonly most?: number;
}

/** @param bytes how many come. @throws NotUnderstood */
export function checkPart(asked: AskedPart, part: Pick<JobLogPage, 'run' | 'from'>, bytes: number): void {
  mustBe(asked.run === undefined || part.run === asked.run, 'the log of another run');
  mustBe(part.from >= asked.from || bytes === 0, 'a log from before the place that was asked for');
  mustBe(asked.most === undefined || bytes <= asked.most, 'more of a log than was asked for');
}

/** @throws NotUnderstood */
export function checkPage(asked: AskedPart, page: JobLogPage): void {
  const bytes = Buffer.byteLength(page.data, 'base64');
  mustBe(page.next === page.from + bytes, 'a log that skips a part');
  checkPart(asked, page, bytes);
}

/** A search that went on at the same place would have no end. @throws NotUnderstood */
export function checkFinds(
  asked: { readonly run?: number | undefined; readonly from: number },
  { run, next }: Pick<JobFinds, 'run' | 'next'>,
): void {
  mustBe(asked.run === undefined || run === asked.run, 'finds in the log of another run');
  mustBe(next === null || next > asked.from, 'a search that does not move on');
}

/** What is kept of a job's figures only ever grows, by whole points. @throws NotUnderstood */
export function checkPoints(
  asked: { readonly run: number; readonly from: number; readonly names: number },
  page: MetricPoints,
): void {
  const bytes = Buffer.byteLength(page.data, 'base64');
  mustBe(page.run === asked.run, 'figures of another run');
  mustBe(page.from === asked.from, 'figures from another place than was asked for');
  mustBe(bytes % POINT_BYTES === 0, 'a part of a figure');
  mustBe(page.next === page.from + bytes / POINT_BYTES, 'figures that skip a part');
  mustBe(page.next <= page.end && page.end <= MOST_POINTS, 'more figures than there are');
  mustBe(bytes > 0 || page.next >= page.end, 'no figures where there are more');
  mustBe(asked.names + page.series.length <= MOST_SERIES, 'figures of too many names');
}

/** The machine may have done what it was asked for: it is asked again, with the same id. */
export const isUnclear = (error: unknown): boolean =>
  !(error instanceof HitchError) || error.code === 'UNREACHABLE' || error instanceof NotUnderstood;
