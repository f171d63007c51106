/** Every wait of the cluster side in one place: deadlines of phases, time-outs of calls, steps of back-off. */

import type { PhaseLimits } from '../ledger/transaction.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** How long a node may stay in a phase before it fails with a reason. */
export const PHASE_LIMIT_MS = {
  /** Candidates are tried, one after the other. */
  purchasing: 10 * MINUTE,
  /** The network boots the machine. */
  booting: 15 * MINUTE,
  /** Packages, agent. */
  bootstrapping: 20 * MINUTE,
  /** Jupyter, then the engine. */
  starting: 10 * MINUTE,
} as const;

/** The same on one network, which may say other numbers for what it does itself. */
export const phaseLimitMs = (phase: 'booting' | 'bootstrapping', said: PhaseLimits = {}): number =>
  said[phase] ?? PHASE_LIMIT_MS[phase];

/** How long one call may take before it counts as unanswered. */
export const CALL_LIMIT_MS = {
  create: 60 * SECOND,
  letIn: 20 * SECOND,
  keys: 20 * SECOND,
  addKey: 20 * SECOND,
  removeKey: 20 * SECOND,
  advance: 60 * SECOND,
  get: 20 * SECOND,
  list: 30 * SECOND,
  offers: 30 * SECOND,
  time: 5 * SECOND,
  account: 20 * SECOND,
  bill: 30 * SECOND,
  price: 20 * SECOND,
  destroy: 30 * SECOND,
  host: 20 * SECOND,
  extend: 20 * SECOND,
  buyTime: 60 * SECOND,
  facts: 20 * SECOND,
  /** Some ten seconds, and an index that hangs. */
  network: 60 * SECOND,
  python: 15 * MINUTE,
  /** Gigabytes of packages over a slow line. */
  environment: 60 * MINUTE,
  /** The agent makes its own layer, and Ray is ended first. */
  environmentTold: 5 * MINUTE,
  /** What is half made there may be gigabytes. */
  environmentCancelled: 2 * MINUTE,
  startAgent: 60 * SECOND,
  connect: 20 * SECOND,
  agent: 15 * SECOND,
} as const;
export type CallName = keyof typeof CALL_LIMIT_MS;

/** So often at most what people installed by hand is written down. */
export const ADDED_LOOK_MS = 5 * SECOND;

/** Calls under way at once towards one network. */
export const CALLS_AT_ONCE = 24;
/** Ending things has so many places more, that nothing else takes. */
export const URGENT_CALLS_BESIDE = 8;
/** So long a call waits for its turn at most. */
export const TURN_WAIT_MS = 60 * SECOND;
/** Where a network asks to wait longer than this, calls are refused at once instead of waiting with it. */
export const PAUSE_WAIT_MS = 10 * SECOND;
/** A network that asks to wait longer is asked again after this: what is to be ended bills meanwhile. */
export const NETWORK_PAUSE_LONGEST_MS = 5 * MINUTE;
/** The same for offers alone: networks count searches apart from all else, and nothing bills for want of them. */
export const OFFERS_PAUSE_LONGEST_MS = 10 * MINUTE;
/** What ends money waits through such a pause, to be the first after it. */
export const URGENT_WAIT_MS = NETWORK_PAUSE_LONGEST_MS + TURN_WAIT_MS;

/** So long a price stands that a network said on being asked: then it is asked again. */
export const PRICE_FRESH_MS = 30 * SECOND;
/** So often a quote turns to other offers because of what the first ones cost on being asked. */
export const PRICE_ROUNDS = 4;

/** So long an order that no machine was offered for stands before it is closed and the next offer is tried. */
export const ORDER_LIMIT_MS = 10 * MINUTE;

/** So long a machine that was agreed to, and costs, may not know what to run before it is closed and the next offer is tried. */
export const HANDOVER_LIMIT_MS = 3 * MINUTE;

/** A failed reconcile looks again after this, doubling up to the longest. */
export const RETRY_FIRST_MS = SECOND;
export const RETRY_LONGEST_MS = 60 * SECOND;

/** A booting machine is looked at again after a twentieth of the time already waited, within these. */
export const BOOT_LOOK_SHORTEST_MS = 500;
export const BOOT_LOOK_LONGEST_MS = 15 * SECOND;
/** From then on its row says what the network says of it. */
export const LONG_BOOT_MS = MINUTE;

/** How long an agent that was just started may take to listen. */
export const AGENT_START_LIMIT_MS = 45 * SECOND;

/** A cap's end moves with what is spent: agents and networks are told of it at least this often, where it is news. */
export const LIMITS_LOOK_MS = 30 * SECOND;

/** The agent sends its status at least every 10 s; after this long without one the node is unreachable. */
export const SILENCE_LIMIT_MS = 45 * SECOND;
/** While a worker works, an idle head is told so at least this often. */
export const TOUCH_EVERY_MS = 30 * SECOND;
/** A way to a machine that broke sooner than that counts as one that could not be opened. */
export const STEADY_MS = 60 * SECOND;
/** Statuses of one agent are heard no closer together; an honest one leaves twice as much between them. */
export const STATUS_PAUSE_MS = 100;

/** After this many vain reconnects the agent is started again. */
export const RESTART_AGENT_AFTER_FAILURES = 4;

/** A network that let a key in is not asked for it again sooner: a machine takes a while to have it. */
export const LET_IN_AGAIN_MS = 60 * SECOND;

/** A machine whose door was opened from what was known of it is asked what it is after this: not beside its first cell. */
export const LATER_LOOK_MS = 5 * SECOND;

/** How often each network in use is asked for its list: lost machines, changed prices, orphans. */
export const SWEEP_EVERY_MS = 30 * SECOND;
/** How often an account where nothing was bought is looked at: what stands there costs somebody money. */
export const ACCOUNT_LOOK_EVERY_MS = 10 * MINUTE;
/** How often it is looked whether the store is still there, and whether it takes what it has refused. */
export const STORE_LOOK_MS = 5 * SECOND;
/**
 * Clusters taken off the list that are kept whole, the latest ones, should a network show one of their machines again. Of
 * older ones the refs are kept, by which such a machine is known as well.
 */
export const REMOVED_KEPT = 1_000;
/** How often the keys of an account are looked at for one that nothing needs any more. */
export const KEYS_LOOK_MS = 10 * MINUTE;
export const CONFIRM_EVERY_MS = 3 * SECOND;
/** A looked-for ref is looked for this often. */
export const QUARANTINE_LOOK_MS = 5 * SECOND;
/** Absences in a row that make a thing gone where the network can be listed. */
export const OBSERVATIONS_NEEDED = 2;

/** How long a save that costs nothing may take; every other one has its cap. */
export const FREE_SAVE_LIMIT_MS = 360 * MINUTE;
/** More time is bought so long before stopping would have to begin. */
export const BUY_TIME_BEFORE_MS = 5 * MINUTE;
/** Where more time is to be bought, a person is warned only once that ought to have been done. */
export const WARN_UNSOLD_BEFORE_MS = BUY_TIME_BEFORE_MS - MINUTE;
/** So much longer than the idle time an agent waits before it ends an idle head by itself. */
export const IDLE_GRACE_MS = 30 * SECOND;
export const WARN_BEFORE_MS = 10 * MINUTE;
