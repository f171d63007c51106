/** A cluster's events as lanes: one for the cluster, one for each node, one for each purchase tried. */
import {
  format,
  PHASE_WORDS,
  type AttemptState,
  type Cluster,
  type ClusterEvent,
  type ClusterPhase,
  type NodePhase,
} from '@hitch/contract';

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

const NODE_WORDS: Readonly<Record<NodePhase, string>> = {
  requested: 'Renting',
  purchasing: 'Renting',
  booting: 'Booting',
  bootstrapping: 'Installing',
  starting: 'Starting',
  ready: 'Ready',
  unreachable: 'No answer',
  stopping: 'Stopping',
  gone: 'Gone',
  failed: 'Failed',
};
const ATTEMPT_WORDS: Readonly<Record<AttemptState, string>> = {
  intended: 'Requested',
  owned: 'Rented',
  refused: 'Refused',
  quarantined: 'Unclear, checking with the network',
  releasing: 'Being deleted',
  gone: 'Gone',
};

/** What else can be said of a cluster whatever its phase, by `name:status`; the message says why. */
const CONDITION_WORDS: Readonly<Record<string, string>> = {
  'kernel:yes': 'Notebook server ready',
  'kernel:no': 'Notebook server not running',
  'kernel:unknown': 'Notebook server does not answer',
  'engine:yes': 'Setup complete',
  'engine:no': 'Setup not complete',
  'engine:unknown': 'Ray does not answer',
  'billing:yes': 'Billing',
  'billing:no': 'Billing ended',
  'billing:unknown': 'Billing not clear yet',
  'cleanup:yes': 'Every machine confirmed gone',
  'cleanup:no': 'Waiting for confirmation',
  'cleanup:unknown': 'A machine may still be there',
  limits: 'New limits',
};

/** A cluster begins with these and ends with them: they tell something once the opposite was true. */
const SAYS_ONLY_AFTER: Readonly<Record<string, string>> = {
  'kernel:no': 'kernel:yes',
  'engine:no': 'engine:yes',
  'billing:no': 'billing:yes',
};

/** A condition's name and status, without the reason. */
const conditionOf = (value: string): string => value.split(':', 2).join(':');

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

const isKey = <Key extends string>(table: Readonly<Record<Key, unknown>>, key: string): key is Key =>
  Object.hasOwn(table, key);

export const toneOf = (value: string): SpanTone => (isKey(TONES, value) ? TONES[value] : 'waiting');

const ENDS: ReadonlySet<string> = new Set(['stopping', 'stopped', 'expired', 'failed']);

/**
 * The events worth a line. The others are conditions for programs: that nothing bills before anything is rented, that a
 * machine that runs is not gone, that a cluster that stops has no notebook.
 */
export function tellingEvents(events: readonly ClusterEvent[]): readonly ClusterEvent[] {
  const seen = new Set<string>();
  let ends = false;
  return events.filter(({ kind, value }) => {
    ends ||= kind === 'phase' && ENDS.has(value);
    if (kind !== 'condition') {
      return true;
    }
    const condition = conditionOf(value);
    seen.add(condition);
    const before = SAYS_ONLY_AFTER[condition];
    if (condition.startsWith('cleanup:')) {
      return ends && condition !== 'cleanup:yes';
    }
    if (ends && /^(?:kernel|engine):/.test(condition)) {
      return false;
    }
    return before === undefined || seen.has(before) || value.endsWith(':failed');
  });
}

/** What an event is called before its message; '' where the message says it all. */
export function eventWords(event: Pick<ClusterEvent, 'kind' | 'value' | 'message'>): string {
  const { kind, value, message } = event;
  const says = kind === 'condition' && message !== '' && /^(?:billing|cleanup|limits)/.test(value);
  return kind === 'warning' || kind === 'saved' || says ? '' : valueWords(event);
}

/** A value of an event as people read it; what is not known stays as it is. */
export function valueWords({ kind, value }: Pick<ClusterEvent, 'kind' | 'value'>): string {
  if (kind === 'phase' && isKey(PHASE_WORDS, value)) {
    return PHASE_WORDS[value];
  }
  if (kind === 'node' && isKey(NODE_WORDS, value)) {
    return NODE_WORDS[value];
  }
  if (kind === 'attempt' && isKey(ATTEMPT_WORDS, value)) {
    return ATTEMPT_WORDS[value];
  }
  const condition = conditionOf(value);
  if (kind === 'condition' && isKey(CONDITION_WORDS, condition)) {
    return CONDITION_WORDS[condition] ?? value;
  }
  return value.replaceAll('_', ' ');
}

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
