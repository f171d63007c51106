/**
 * What a chaos run knows of a network: how Hitch comes to it, what stands there, and what it bills. The run itself is the same
 * over all of them, and several may stand in one run.
 */
import type { MicroUsd } from '@hitch/contract';
import type { VirtualClock } from '@hitch/platform/src/clock.ts';
import type { Random } from '@hitch/platform/src/random.ts';
import type { AttemptRecord } from '../../../backend-proxy/src/ledger/records.ts';
import type { Provider } from '../../../backend-proxy/src/providers/provider.ts';
import type { Mortal } from '../mortal.ts';
import type { RunPlan } from '../plan.ts';
import type { AddressBook } from '../ssh/address-book.ts';

export interface NetworkTools {
  readonly seed: number;
  readonly clock: VirtualClock;
  readonly plan: RunPlan;
  /** Where its machines are, unless they are processes here. */
  readonly book: AddressBook;
  /** From here on it does what it should. */
  readonly isOver: () => boolean;
  readonly onFault: (name: string) => void;
}

/** Something that was rented there, by whomever. */
export interface Bought {
  /** As its adapter names it. */
  readonly id: string;
  readonly mark: string | null;
  readonly endedAtMs: number | null;
  /** Whether the network shows it to whoever asks. */
  readonly isShown: boolean;
  /** Whether the network showed it late, or lost sight of it for a while. */
  readonly isMislaid: boolean;
  readonly isEndAsked: boolean;
  /** How often more time was sold for it. */
  readonly timesMore: number;
}

/** A sum of money that is known to lie between these. */
export interface Bounds {
  readonly lowest: MicroUsd;
  readonly highest: MicroUsd;
}

/** What a purchase costs by its network's own bill, a part each by its name in Hitch. */
export type Bill = Readonly<Record<string, Bounds>>;

/** By whom a bill is held against what was counted. */
export interface HowKnown {
  /** Some of what was counted stands in no record any more. */
  readonly isForgotten: boolean;
  /** The computer's clock was wrong for a while. */
  readonly wasClockWrong: boolean;
}

/** What a person may ask for there. */
export interface Wish {
  readonly filter: object;
  readonly nodes: number;
}

export interface ChaosNetwork {
  readonly id: string;
  /** Requests between which daemons are to die, besides what an adapter as a whole is asked. */
  readonly deaths: readonly string[];
  /** Whether it keeps a mark and a history: else nobody can know of some of its machines. */
  readonly keeps: { readonly hasRefs: boolean; readonly hasHistory: boolean };
  /** Its adapter, as one daemon has it: what that one asks later dies with it. */
  open(mortal: Mortal): Provider;
  /** Rents machines of other people, and of another Hitch. */
  settle(): Promise<void>;
  wish(random: Random): Wish;
  /** Everything that was ever rented there. */
  bought(): readonly Bought[];
  /** Machines of others that somebody asked to end, and keys of others that were taken off the account. */
  othersHarmed(): number;
  /** Keys that its account has now, where it keeps keys by account. */
  accountKeys(): readonly { readonly id: string; readonly name: string }[];
  /** Marks of machines that were bought without a key that opens them, by who says whose a key is. */
  lockedOut(isOf: (mark: string, publicKeys: readonly string[]) => boolean): readonly string[];
  /**
   * Whether a machine of this ref runs and its agent answers, so that Hitch can reach it: at a network that is to be asked where
   * it is, or to let its key in again, only while that answers.
   */
  answers(ref: string, nowMs: number): boolean;
  /** Up to when nobody could find anything there: it answered nobody, gave no list, or asked to wait. */
  blindUntilMs(nowMs: number): number;
  /** Time has passed. */
  look(nowMs: number): void;
  /** From here on it does what it should. */
  calm(): void;
  /** Notes what ended by itself. */
  end(): Promise<void>;
  /** Null: it says too little for a bill of its machines to be known by a computer whose clock was wrong. */
  billOf(mark: string, attempt: AttemptRecord, how: HowKnown): Bill | null;
  /** What Hitch sent that the real network would not have understood. */
  complaints(): readonly string[];
  /** What stands there, a line each, for a person who replays a run. */
  lines(): readonly string[];
}

export const exactly = (amount: MicroUsd): Bounds => ({ lowest: amount, highest: amount });

export const NOTHING: Bounds = exactly(0n);

export const sumOf = (bounds: Iterable<Bounds>): Bounds =>
  [...bounds].reduce(
    (sum, { lowest, highest }) => ({ lowest: sum.lowest + lowest, highest: sum.highest + highest }),
    NOTHING,
  );

/** By how much a cost lies outside. */
export function outside(cost: MicroUsd, { lowest, highest }: Bounds): MicroUsd {
  return cost < lowest ? lowest - cost : cost > highest ? cost - highest : 0n;
}
