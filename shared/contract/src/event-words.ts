/** A cluster's events in words: which of them tell a person something, and what each is called. */
import {
  type AttemptState,
  type Cluster,
  type ClusterEvent,
  CONDITIONS,
  type NodePhase,
} from './clusters.ts';
import { PHASE_WORDS } from './words.ts';

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

/** Whether a table has a word for `key`. */
export const isKey = <Key extends string>(table: Readonly<Record<Key, unknown>>, key: string): key is Key =>
  Object.hasOwn(table, key);

const ENDS: ReadonlySet<string> = new Set(['stopping', 'stopped', 'expired', 'failed']);

/**
 * The events worth a line. The others are conditions for programs: that nothing bills before anything is rented, that a
 * machine that runs is not gone, that a cluster that stops has no notebook. A cluster on its way that only repeats what
 * its node has just said has no line of its own.
 */
export const tellingEvents = (events: readonly ClusterEvent[]): readonly ClusterEvent[] =>
  withoutConditions(events).filter((event, at, told) => {
    const before = told[at - 1];
    return (
      event.kind !== 'phase' ||
      before?.kind !== 'node' ||
      !ON_ITS_WAY.has(event.value) ||
      said(before) !== said(event)
    );
  });

const ON_ITS_WAY: ReadonlySet<string> = new Set(['requested', 'purchasing', 'bootstrapping', 'starting']);

const said = (event: ClusterEvent): string => [eventWords(event), event.message].join(': ');

function withoutConditions(events: readonly ClusterEvent[]): readonly ClusterEvent[] {
  const seen = new Set<string>();
  let ends = false;
  return events.filter(({ kind, value }) => {
    if (kind === 'phase') {
      ends = ENDS.has(value);
    }
    if (kind === 'phase' && value === 'requested') {
      // It is started again.
      seen.clear();
    }
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

/** A node's phase as people read it. */
export const nodePhaseWords = (phase: NodePhase): string => NODE_WORDS[phase];

/** The state of one purchase as people read it. */
export const attemptWords = (state: AttemptState): string => ATTEMPT_WORDS[state];

/** `words: message`; only the message where it says the words already. */
export const withWords = (words: string, message: string): string =>
  message.startsWith(words) ? message : [words, message].filter(part => part !== '').join(': ');

/** A cluster's conditions, a sentence or less each; what goes without saying is left out. */
export function conditionWords({ conditions, phase }: Pick<Cluster, 'conditions' | 'phase'>): string[] {
  const ends = ENDS.has(phase);
  const tells = {
    kernel: !ends,
    engine: !ends,
    billing: true,
    cleanup: ends || conditions.cleanup.status !== 'no',
  };
  return CONDITIONS.filter(name => tells[name]).map(name => {
    const { status, message } = conditions[name];
    const words = CONDITION_WORDS[`${name}:${status}`] ?? '';
    return withWords(words, message);
  });
}
