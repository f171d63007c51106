/**
 * The contract every network's adapter meets. The doc comments are the contract; `test/contract/provider-suite.ts`
 * checks each of them for every adapter.
 *
 * Adapters do I/O only. They never wait for a state, retry, sleep or decide: deadlines, rate limits, retries and
 * choices are written once, in `clusters/`. Every call takes an AbortSignal and honours it. Every failure is a
 * {@link ProviderError}; anything else thrown counts as `unknownOutcome`.
 */
import type { Capabilities, MicroUsd, Offer, ProviderId, RouteLimit } from '@hitch/contract';
import type { Host } from '../access/host.ts';
import type { MachineAddress, Terms } from '../ledger/records.ts';
import type { PhaseLimits } from '../ledger/transaction.ts';
import type { AccountKeys, AccountSaid, LoginNeeds, LoginValues } from './account.ts';
import type { Instance } from './instance.ts';

export type { SshAddress, Terms } from '../ledger/records.ts';
export * from './account.ts';
export * from './instance.ts';
export { ProviderError, type ProviderErrorKind } from './provider-error.ts';

export interface LetIn {
  /** The key that opens it, as OpenSSH writes it. */
  readonly publicKey: string;
  /**
   * 32 random bytes in hex, which go into the machine's environment as `HITCH_PROOF`: who knows them is that machine. Of
   * no use afterwards. Null where the network takes no environment (`capabilities.bootSecret`), unless the machine is one that
   * a web address alone leads to (`Offer.wayIn`): its door opens by a token that is made of it.
   */
  readonly proof: string | null;
}

/** What to rent. */
export interface CreateRequest {
  /** Goes with the purchase as `capabilities.refVia` says, so that it can be found after an unclear answer. */
  readonly ref: string;
  readonly offer: Offer;
  readonly terms: Terms;
  /** Refuse with `capacity` rather than pay more than this an hour, where the network lets a caller say so. */
  readonly maxPricePerHourMicroUsd: MicroUsd;
  /** Machines in this one purchase; more than one only of an offer that is sold `together`; offer and limit are of all of them. */
  readonly members: number;
  /** Who is to be let in by ssh; null: nobody will come that way. */
  readonly letIn: LetIn | null;
  /** Its cluster may stand on several machines that reach each other; left out: on one. */
  readonly spread?: boolean;
  /** Where the network has a native end time that can be moved, it is set to this (ms since the epoch). */
  readonly endAtMs: number | null;
}

/** Room for more machines. */
export interface Vacancy {
  readonly free: number;
  /** How many there are and why not more, for people. */
  readonly sentence: string;
}

/** How a network differs in what all of them have. What only some can do, the methods of {@link Provider} show. */
export interface Traits extends Omit<Capabilities, 'extend' | 'account'> {
  /** How often each kind of call may be made. Left out: it does not say, and asks to wait with all of them at once. */
  readonly limits?: Readonly<Record<string, RouteLimit>>;
  /**
   * How long its machines may take to come up before one is given up, where that is another time than at most networks
   * (15 minutes to boot, 20 to be set up). `booting` begins with the purchase, or with the yes to a bid, and has in it
   * whatever the network does before ssh may answer, such as the pull of an image.
   */
  readonly phaseLimitsMs?: PhaseLimits;
  /** Kinds of calls that count as another, by their names; the others count as themselves. */
  readonly routes?: Readonly<Record<string, string>>;
}

/** An adapter whose answer comes in pages waits for it before each but the first: a page is a call of its own. */
export type NextPage = () => Promise<void>;

/** What an offer costs on some terms, one machine of it. */
export interface Price {
  /** All that is charged by the hour, a part each. */
  readonly perHour: readonly { readonly label: string; readonly perHourMicroUsd: MicroUsd }[];
  /** The least that its hours cost, however early it ends. */
  readonly floorMicroUsd: MicroUsd;
  /** What is taken once, on top of its hours. */
  readonly nonRefundableMicroUsd: MicroUsd;
  /** What leaves the account when it is bought, where that is more than the rest says; null: nothing. */
  readonly dueNowMicroUsd: MicroUsd | null;
  /** What comes back of that. */
  readonly refundable: NonNullable<Offer['refundable']>;
  readonly basis: NonNullable<Offer['basis']>;
}

/** A line of a network's bill. */
export interface BillLine {
  /** The mark of what it is for; null: it is for nothing that carries one, or the bill does not say it. */
  readonly mark: string | null;
  /** The instance that it is for, where the bill says that and no mark. */
  readonly instanceId?: string;
  /** Such as `GPU` or `Disk`. */
  readonly label: string;
  readonly amountMicroUsd: MicroUsd;
}

/** What of a network's answers names nobody, and may stay in a recording. */
export interface Recordable {
  /** Paths that say the same to everybody. */
  readonly catalogue: RegExp;
  /** Fields that hold words of the network: statuses, names of hardware. */
  readonly fields: readonly string[];
}

/** How a check of a network for real is recorded. */
export interface RecordingOf extends Recordable {
  /** Raised when what the adapter asks or reads changes: what was recorded of an older one proves nothing of it any more. */
  readonly version: number;
}

export interface Provider {
  readonly id: ProviderId;
  readonly title: string;
  readonly kind: 'own' | 'practice' | 'network';
  /** Somebody has rented there with this version's adapter, and what was said then is kept (`verified.ts`). */
  readonly verifiedLive: boolean;
  /** Left out: nothing of it can be recorded, since it is not asked over HTTP. */
  readonly recording?: RecordingOf;
  /** Why nothing of it can be rented with Hitch, a sentence: its offers can only be looked at. Left out: it can be. */
  readonly notRentable?: string;
  readonly capabilities: Traits;

  /** What it takes to log in; null: nothing. The adapter is built with a way to the login that a person gave. */
  readonly login: LoginNeeds | null;

  /** All that can be rented now. Sold-out and free-of-sense rows are left out. */
  offers(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Offer[]>;

  /** What the last answer to {@link offers} left out, and why, a sentence; null: nothing. */
  offersLeftOut?(): string | null;

  /**
   * Whether what stands from an earlier answer to {@link offers} stays: the list that it comes from is one of several, and was
   * not there in the last answer. Left out: each answer takes the place of all before it.
   */
  offerStays?(offer: Offer): boolean;

  /**
   * What one machine of an offer costs on these terms, now: asked before a person says yes to it, and again before it is
   * bought, where the answer is older than a little while. Changes nothing and costs nothing.
   * Left out: the offer's own price, with its disk's for another size, is firm.
   * @throws ProviderError `capacity` or `permanent` where it is not sold so.
   */
  price?(offer: Offer, terms: Terms, signal: AbortSignal): Promise<Price>;

  /**
   * The mark by which a purchase is found in the network's answers: the same for the same request, for every adapter object
   * and for ever, since it is stored before the purchase. Asks nobody. Left out: the request's `ref`.
   */
  markOf?(request: CreateRequest): string;

  /**
   * Rents one machine, once: exactly one request that costs, and none that changes anything before or after it. Resolves as
   * soon as the network has given it an id; it need not run yet, nor be more than `ordered`.
   * The caller has stored `request.ref` and its mark durably before this call and calls at most once for a ref.
   */
  create(request: CreateRequest, signal: AbortSignal): Promise<Instance>;

  /**
   * The next step of an instance that is `ordered`, for networks where a purchase has several. Asked again it buys nothing
   * twice, and it never agrees to more than the request's limit. Resolves with the instance as it stands then, which is
   * `ordered` still while there is nothing to agree to. What is never advanced is ended by {@link destroy}.
   */
  advance?(instance: Instance, request: CreateRequest, signal: AbortSignal): Promise<Instance>;

  /** The instance now. An id the network does not know answers status `gone`, not an error. */
  get(instanceId: string, signal: AbortSignal): Promise<Instance>;

  /**
   * Every instance of this account, whoever made it and whatever its mark, also without one: what is not ours is shown and
   * not touched.
   * A partial list is an error, never an answer, unless there is {@link listNear}: then it is of the places that
   * answer, and an error only where none does. With `refVia: 'none'` it answers `[]`.
   */
  list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]>;

  /** What the last answer to {@link list} left out, and why, a sentence; null: nothing. */
  listLeftOut?(): string | null;

  /**
   * The same, complete, of where `offer` is alone: for a network of places that answer each for itself, so that one that
   * is switched off keeps nothing at another from being looked after and confirmed gone. Where it is there, what
   * {@link list} does not show may be at a place that does not answer.
   */
  listNear?(offer: Offer, signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]>;

  /**
   * Asks the network to end the instance and its billing. An id that is already gone resolves. It is asked again until
   * {@link get} says `gone`, so that an end of several steps (stop, then delete) takes one of them at each call.
   */
  destroy(instanceId: string, signal: AbortSignal): Promise<void>;

  /** The keys of the account, where a machine's key comes from there and from nowhere else. */
  readonly accountKeys?: AccountKeys;

  /**
   * Lets a key in to every machine of the instance, for networks that take keys after the purchase, or lose them. Changes
   * nothing else and costs nothing; a key that is let in already stays so. Asked once the instance is bought, and again
   * where a machine that runs does not let the key in any more.
   * @throws ProviderError for an instance that the network does not know, or not yet.
   */
  letIn?(instanceId: string, publicKey: string, signal: AbortSignal): Promise<void>;

  /**
   * A way in to machines that are processes on this computer; any other network says {@link Member.ssh} instead. Throws
   * `retryable` while it is not reachable yet.
   */
  host?(instance: Instance, rank: number, signal: AbortSignal): Promise<Host>;

  /**
   * The same way in to a machine that was reached there before. Asks the network nothing, which may be down, or ask to
   * wait, while the machine runs. Whether it is still there shows when the host is used. Beside {@link host} only.
   */
  dial?(instanceId: string, rank: number, address: MachineAddress, signal: AbortSignal): Promise<Host>;

  /**
   * Everything this account ever rented under `mark`, what is over too, where the network keeps such a history: a
   * machine that came and went while nobody looked is in no list, but on the bill.
   * @param offer what was bought: a network with {@link listNear} need be asked there alone
   */
  history?(
    mark: string,
    signal: AbortSignal,
    nextPage?: NextPage,
    offer?: Offer,
  ): Promise<readonly Instance[]>;

  /**
   * How many more machines can be rented at this moment, where that is known without asking anybody: then offers say
   * how many there are in all. A create above it is refused with `capacity`.
   */
  vacancy?(): Vacancy;

  /**
   * The network's own time (ms since the epoch), where its answers carry one (the `Date` header): a second source when
   * this computer's clock was set.
   */
  time?(signal: AbortSignal): Promise<number>;

  /**
   * Who the login is, what it may do and what is left: one call that changes nothing and costs nothing.
   * @param login to be tried in the place of the one that was given; left out: that one
   * @throws ProviderError `auth` for a login that the network does not accept.
   */
  account?(signal: AbortSignal, login?: LoginValues): Promise<AccountSaid>;

  /** What was billed between two moments (ms since the epoch), a line for each machine and part. A partial bill is an error. */
  bill?(fromMs: number, toMs: number, signal: AbortSignal, nextPage?: NextPage): Promise<readonly BillLine[]>;

  /**
   * Buys `ms` more for an instance that was sold by terms: it is paid at once, and every call pays again. Resolves with the
   * instance as it stands then. The caller has stored durably that it calls, and calls once; after an unclear answer it
   * reads `endsAtMs`.
   */
  buyTime?(instanceId: string, ms: number, signal: AbortSignal): Promise<Instance>;

  /** Moves the network's own end time: it costs nothing, and the same again changes nothing. */
  extend?(instanceId: string, endAtMs: number, signal: AbortSignal): Promise<void>;
}
