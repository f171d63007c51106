/**
 * What stands on the disk, read along with every commit that was made: whichever daemon made it, and whether it lived
 * to hear of it. The judge and the kill points ask here, so that they depend on no daemon.
 */
import type {
  AttemptRecord,
  ClusterRecord,
  NodeRecord,
  SegmentRecord,
} from '../../backend-proxy/src/ledger/records.ts';
import type { Change } from '../../backend-proxy/src/ledger/store.ts';
import {
  BEGINS_LATER,
  LOSES_RECLAIMED,
  RECLAIMS_BY_REF,
  RECLAIMS_GONE,
  RECLAIMS_REFUSED,
  RECLAIMS_REMOVED,
  type Visits,
} from './visits.ts';

/** The most telling first: a commit is named after what it says of purchases. */
const TELLING = ['intended', 'owned', 'quarantined', 'refused', 'releasing', 'gone'] as const;

/** Names a commit for the list of kill points. */
export function commitName({ attempts = [] }: Change): string {
  return `commit (${TELLING.find(state => attempts.some(attempt => attempt.state === state)) ?? 'other'})`;
}

export class Written {
  readonly #visits: Visits;
  readonly #clusters = new Map<string, ClusterRecord>();
  readonly #takenBack = new Set<string>();
  /** The last of each ref. */
  readonly #attempts = new Map<string, AttemptRecord>();
  /** Refs of clusters that are forgotten: what they cost by then is in no attempt. */
  readonly #forgotten = new Set<string>();
  /** When more time was to be bought, by ref; kept when the database is lost. */
  readonly #timesMore = new Map<string, Set<string>>();
  /** Marks of all that was ever to be bought; kept when the database is lost. */
  readonly #intended = new Set<string>();
  readonly #nodes = new Map<string, NodeRecord>();
  /** All that is counted, by attempt and by its place there. */
  readonly #segments = new Map<string, Map<number, SegmentRecord>>();
  /** The last stretch of each part of each attempt's time. */
  readonly #rates = new Map<string, Map<string, SegmentRecord>>();

  constructor(visits: Visits) {
    this.#visits = visits;
  }

  attempts(): readonly AttemptRecord[] {
    return [...this.#attempts.values()];
  }

  /** Refs of owned machines that are said not to answer, of clusters that are to run. */
  unreachable(): readonly string[] {
    return [...this.#nodes.values()].flatMap(({ clusterId, phase, attemptId }) => {
      const attempt = this.#attempts.get(attemptId ?? '');
      const isMeant = phase === 'unreachable' && this.#clusters.get(clusterId)?.desired === 'up';
      return isMeant && attempt?.state === 'owned' ? [attempt.ref] : [];
    });
  }

  /** Whether some of what this purchase cost stands in no record of it any more. */
  isForgotten(ref: string): boolean {
    return this.#forgotten.has(ref);
  }

  /** The moments at which stretches end that cost something. */
  ends(): readonly number[] {
    return [...this.#segments.values()].flatMap(own =>
      [...own.values()].flatMap(({ endMs }) => (endMs === null ? [] : [endMs])),
    );
  }

  /** Whether a purchase was begun of which no record says how it ended. */
  isUnclear(): boolean {
    return this.attempts().some(({ state }) => state === 'intended' || state === 'quarantined');
  }

  /** Whether a purchase is said to be over. */
  isOver(ref: string): boolean {
    return this.attempts().some(
      attempt => attempt.ref === ref && (attempt.state === 'gone' || attempt.state === 'refused'),
    );
  }

  /** Whether this was ever the mark of a purchase, whatever became of it. */
  wasIntended(mark: string): boolean {
    return this.#intended.has(mark);
  }

  /** How often it was written down that more time is to be bought for a machine. */
  timesMore(ref: string): number {
    return this.#timesMore.get(ref)?.size ?? 0;
  }

  segmentsOf(attemptId: string): readonly SegmentRecord[] {
    return [...(this.#segments.get(attemptId)?.values() ?? [])];
  }

  /** What an attempt is said to cost an hour, now or soon; null: nothing. */
  rateOf(attemptId: string): bigint | null {
    const ahead = this.#attempts.get(attemptId)?.aheadPerHourMicroUsd ?? 0n;
    const open = [...(this.#rates.get(attemptId)?.values() ?? [])].filter(({ endMs }) => endMs === null);
    const sum = open.reduce((total, { amountMicroUsd }) => total + amountMicroUsd, ahead);
    return sum === 0n ? null : sum;
  }

  /** Whether a machine that the sweep took back is still being ended. */
  get endsReclaimed(): boolean {
    return this.attempts().some(({ ref, state }) => state === 'releasing' && this.#takenBack.has(ref));
  }

  /** The database is gone: nothing is written any more. */
  lose(): void {
    if (this.endsReclaimed) {
      this.#visits.deed(LOSES_RECLAIMED);
    }
    this.#clusters.clear();
    this.#forgotten.clear();
    this.#attempts.clear();
    this.#nodes.clear();
    this.#segments.clear();
    this.#rates.clear();
  }

  note(change: Change): void {
    for (const attempt of change.attempts ?? []) {
      this.#reclaimed(attempt, this.#attempts.get(attempt.id)?.state);
      this.#dropElder(attempt);
      this.#attempts.set(attempt.id, attempt);
      this.#intended.add(attempt.mark);
      if (attempt.moreTime.length > 0) {
        const times = this.#timesMore.get(attempt.ref) ?? new Set<string>();
        attempt.moreTime.forEach(({ fromMs, askedAtMs }) =>
          times.add(`${fromMs.toString()} ${askedAtMs.toString()}`),
        );
        this.#timesMore.set(attempt.ref, times);
      }
    }
    for (const id of change.forget ?? []) {
      for (const { ref, clusterId } of this.#attempts.values()) {
        if (clusterId === id) {
          this.#forgotten.add(ref);
        }
      }
    }
    for (const cluster of change.clusters ?? []) {
      this.#clusters.set(cluster.id, cluster);
    }
    for (const node of change.nodes ?? []) {
      this.#nodes.set(node.id, node);
    }
    for (const segment of change.segments ?? []) {
      const all = this.#segments.get(segment.attemptId) ?? new Map<number, SegmentRecord>();
      this.#segments.set(segment.attemptId, all.set(segment.index, segment));
      this.#segment(segment);
    }
    for (const { kind, value } of change.events ?? []) {
      if (kind === 'warning' || kind === 'price' || kind === 'saved' || kind === 'removed') {
        this.#visits.deed(
          `it says ${kind}: ${/^[0-9]+$/.test(value) ? (value === '0' ? 'nothing' : 'some') : value}`,
        );
      }
    }
  }

  /** A purchase that comes back by its ref has another record than the one that was forgotten or lost. */
  #dropElder({ id, ref }: AttemptRecord): void {
    if (!this.#attempts.has(id)) {
      const elder = [...this.#attempts.values()].find(attempt => attempt.ref === ref);
      this.#attempts.delete(elder?.id ?? '');
      this.#rates.delete(elder?.id ?? '');
    }
  }

  #reclaimed(attempt: AttemptRecord, before: AttemptRecord['state'] | undefined): void {
    if (attempt.state === 'releasing' && before === undefined) {
      this.#takenBack.add(attempt.ref);
      this.#visits.deed(RECLAIMS_BY_REF);
      return;
    }
    if (attempt.state !== 'releasing' || (before !== 'gone' && before !== 'refused')) {
      return;
    }
    this.#takenBack.add(attempt.ref);
    this.#visits.deed(before === 'gone' ? RECLAIMS_GONE : RECLAIMS_REFUSED);
    if (this.#clusters.get(attempt.clusterId)?.removedAtMs !== null) {
      this.#visits.deed(RECLAIMS_REMOVED);
    }
  }

  #segment(segment: SegmentRecord): void {
    if (segment.kind !== 'rate') {
      this.#visits.deed(
        segment.kind === 'floor'
          ? 'a minimum charge is written down'
          : 'a non-refundable charge is written down',
      );
      return;
    }
    const parts = this.#rates.get(segment.attemptId) ?? new Map<string, SegmentRecord>();
    this.#rates.set(segment.attemptId, parts);
    const last = parts.get(segment.label);
    if (last === undefined || segment.index >= last.index) {
      if (last !== undefined && segment.index > last.index) {
        this.#visits.deed('a changed price opens another stretch');
      }
      if (last === undefined && parts.size > 0) {
        this.#visits.deed(BEGINS_LATER);
      }
      parts.set(segment.label, segment);
    }
  }
}
