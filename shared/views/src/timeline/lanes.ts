/** A cluster's events as lanes: one for the cluster, one for each node, one for each purchase tried. */
import {
  format,
  type AttemptState,
  type Cluster,
  type ClusterEvent,
  type ClusterPhase,
  type NodePhase,
} from '@hitch/contract';
import { isKey, valueWords } from '@hitch/contract/src/event-words.ts';

export type SpanTone = 'waiting' | 'good' | 'warning' | 'bad' | 'over';

/** A stretch of one phase. */
export interface Span {
  readonly startMs: number;
  /** Now, where it goes on. */
  readonly endMs: number;
  readonly words: string;
  readonly message: string;
  readonly tone: SpanTone;
}

export interface Mark {
  readonly atMs: number;
  readonly words: string;
  readonly tone: 'warning' | 'note';
}

export interface Lane {
  readonly id: string;
  readonly title: string;
  /** What the network calls it, for whoever looks closer; '' where the title says it all. */
  readonly detail: string;
  readonly kind: 'cluster' | 'node' | 'attempt';
  readonly spans: readonly Span[];
  readonly marks: readonly Mark[];
}

const TONES: Readonly<Record<ClusterPhase | NodePhase | AttemptState, SpanTone>> = {
  requested: 'waiting',
  purchasing: 'waiting',
  booting: 'waiting',
  bootstrapping: 'waiting',
  starting: 'waiting',
  ready: 'good',
  degraded: 'warning',
  unreachable: 'warning',
  stopping: 'waiting',
  paused: 'waiting',
  stopped: 'over',
  expired: 'over',
  failed: 'bad',
  gone: 'over',
  intended: 'waiting',
  owned: 'good',
  refused: 'bad',
  quarantined: 'warning',
  releasing: 'waiting',
};

export const toneOf = (value: string): SpanTone => (isKey(TONES, value) ? TONES[value] : 'waiting');

/** When the picture ends: now, or when the cluster did. */
export function endOf(cluster: Cluster, events: readonly ClusterEvent[], nowMs: number): number {
  const last = events.at(-1)?.atMs ?? cluster.createdAtMs;
  return Math.max(cluster.endedAtMs ?? nowMs, last, cluster.createdAtMs + 1000);
}

export function lanes(cluster: Cluster, events: readonly ClusterEvent[], nowMs: number): readonly Lane[] {
  const endMs = endOf(cluster, events, nowMs);
  const lane = (
    id: string,
    title: string,
    kind: Lane['kind'],
    about: (event: ClusterEvent) => boolean,
    detail = '',
  ): Lane => {
    const own = events.filter(about);
    const wanted = kind === 'cluster' ? 'phase' : kind;
    return {
      id,
      title,
      detail,
      kind,
      spans: spansOf(
        own.filter(event => event.kind === wanted),
        endMs,
      ),
      marks: marksOf(own),
    };
  };
  return [
    lane('cluster', cluster.name, 'cluster', event => event.nodeId === null && event.attemptId === null),
    ...cluster.nodes.flatMap(node => [
      lane(
        node.id,
        `${node.index === 0 ? 'Head' : `Node ${node.index + 1}`}${node.title === '' ? '' : `: ${node.title}`}`,
        'node',
        event => event.nodeId === node.id && event.attemptId === null,
      ),
      ...node.attempts.map((attempt, index) =>
        lane(
          attempt.id,
          `Offer ${index + 1}: ${attempt.offerTitle || attempt.offerId}`,
          'attempt',
          event => event.attemptId === attempt.id,
          attempt.offerId,
        ),
      ),
    ]),
  ];
}

function spansOf(events: readonly ClusterEvent[], endMs: number): readonly Span[] {
  return events.flatMap((event, index) => {
    const tone = toneOf(event.value);
    const next = events[index + 1];
    // What is over takes no time: it is drawn as an end, not as a stretch.
    const end = next?.atMs ?? (tone === 'over' || tone === 'bad' ? event.atMs : endMs);
    return [{ startMs: event.atMs, endMs: end, words: valueWords(event), message: event.message, tone }];
  });
}

function marksOf(events: readonly ClusterEvent[]): readonly Mark[] {
  return events.flatMap(({ kind, atMs, message, value }): Mark[] => {
    const words = message === '' ? value.replaceAll('_', ' ') : message;
    switch (kind) {
      case 'warning':
        return [{ atMs, words, tone: 'warning' }];
      case 'price':
      case 'saved':
      case 'removed':
        return [{ atMs, words, tone: 'note' }];
      case 'phase':
      case 'node':
      case 'attempt':
      case 'condition':
        return [];
    }
  });
}

const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440, 2880, 10_080].map(
  minutes => minutes * 60_000,
);

/** Round moments of the local clock between two, at most `most` of them. */
export function ticks(startMs: number, endMs: number, most: number): readonly number[] {
  const step =
    STEPS_MS.find(each => (endMs - startMs) / each <= most) ?? (endMs - startMs) / Math.max(1, most);
  const shiftMs = new Date(startMs).getTimezoneOffset() * 60_000;
  const first = Math.ceil((startMs - shiftMs) / step) * step + shiftMs;
  const found: number[] = [];
  for (let atMs = first; atMs <= endMs; atMs += step) {
    found.push(atMs);
  }
  return found;
}

/** Under a mark of {@link ticks}: the hour, and at midnight the day that begins. */
export function tickText(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => value.toString().padStart(2, '0');
  return at.getHours() === 0 && at.getMinutes() === 0
    ? `${two(at.getMonth() + 1)}-${two(at.getDate())}`
    : format.clock(atMs);
}
