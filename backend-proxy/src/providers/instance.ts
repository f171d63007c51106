/** What a network says that it rented to us: part of the contract in `provider.ts`. */
import type { MicroUsd, Offer } from '@hitch/contract';
import type { SshAddress } from '../ledger/records.ts';

/**
 * `ordered`: money or a deposit is committed, and there is no machine yet, or, where it has members, one that costs and was not
 * told what to run: {@link Provider.advance} is asked · `booting`:
 * bought, not usable · `running`: usable · `stopped`: exists, may bill, not usable · `gone`: the network confirms that it
 * does not exist and bills nothing · `unknown`: a status this adapter does not know.
 */
export type InstanceStatus = 'ordered' | 'booting' | 'running' | 'stopped' | 'gone' | 'unknown';

/** One thing that is charged by the hour. */
export interface Rate {
  /** What it is for, such as `GPU` or `Disk`; one label once. */
  readonly label: string;
  readonly perHourMicroUsd: MicroUsd;
  /** When it began to be charged (ms since the epoch); null: the network does not say, and it counts from the purchase. */
  readonly fromMs: number | null;
  /** True for what is not charged yet, such as a GPU that costs from when it runs. */
  readonly isAhead?: boolean;
  /** When it ceased to be charged while the instance stands (ms since the epoch); its price is what it cost until then. */
  readonly untilMs?: number;
}

/** One machine of a purchase. */
export interface Member {
  /** The network's id of this machine; equal to the instance's where there is one only. */
  readonly id: string;
  /** 0 is the head's place. */
  readonly rank: number;
  readonly status: InstanceStatus;
  /** Where ssh leads to it; null: not reachable yet, or it is reached by {@link Provider.host}. */
  readonly ssh: SshAddress | null;
  /** Where the other machines of the purchase reach it, without a mesh of ours; null: nowhere that the network names. */
  readonly privateAddress: string | null;
}

/** What a network says that it rented: held against what was offered before a machine is set up. */
export interface Got extends Pick<Offer, 'gpuModel' | 'gpuCount'> {
  /** Null: it does not say. */
  readonly market: Offer['market'] | null;
  readonly trust: Offer['trust'] | null;
}

export interface Instance {
  readonly id: string;
  /** What {@link Provider.markOf} gave for its request; null where this answer does not carry it. */
  readonly mark: string | null;
  readonly status: InstanceStatus;
  /** Its machines, by their rank, those that are gone too where the network still shows them; none of what is gone. */
  readonly members: readonly Member[];
  /**
   * What the network says that it costs now, a part each with its own start; together what it costs an hour. Of one that
   * is gone: what it cost at its end. Empty where the network does not say: what was known before holds on.
   */
  readonly rates: readonly Rate[];
  /** The least that its hours cost, where the network says so; left out: what its offer says. */
  readonly floorMicroUsd?: MicroUsd;
  /** What has left the account for it: what its hours and its floor do not use of that comes back. Left out: not said. */
  readonly paidMicroUsd?: MicroUsd;
  /** What was rented, where the network says so. */
  readonly got?: Got;
  /** When the network itself ends it, where it says so (ms since the epoch). */
  readonly endsAtMs?: number;
  /** The network's own words about it, for people. */
  readonly message: string;
  /** When billing ended, where the network says so; only with status `gone`. */
  readonly billedUntilMs?: number;
}

/** What a network says that an instance costs an hour, all parts together; null where it does not say. */
export const priceOf = ({ rates }: Pick<Instance, 'rates'>): MicroUsd | null =>
  rates.length === 0
    ? null
    : rates.reduce((sum, rate) => (isPast(rate) ? sum : sum + rate.perHourMicroUsd), 0n);

/** Whether it was charged and is not any more. */
export const isPast = ({ untilMs }: Rate): boolean => untilMs !== undefined;

/** When the first of its parts began to be charged, where the network says so. */
export function chargedFromMs({ rates }: Pick<Instance, 'rates'>): number | undefined {
  const starts = rates.flatMap(({ fromMs, isAhead }) =>
    fromMs === null || isAhead === true ? [] : [fromMs],
  );
  return starts.length === 0 ? undefined : Math.min(...starts);
}
