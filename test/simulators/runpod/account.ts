/** The account at the simulated RunPod: what is bought, runs, ends and is billed, whichever of its APIs asks. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { RentedAddress, SimBill, SimMachines, SimRental } from '../frame/simulator.ts';
import { RUNPOD_GPUS, type RunpodGpu } from './catalogue.ts';
import { billOf, dollars, perHour, type Purchase, type RunpodPod } from './purchases.ts';

export interface RunpodOptions {
  readonly clock: Clock;
  /** Whether it refuses more than 60 calls a minute, as `RateLimit-Policy` of its OpenAPI shows it. */
  readonly limits?: boolean;
  /** Left out: machines are records, and ssh leads nowhere. */
  readonly machines?: SimMachines;
  readonly keys?: readonly string[];
  /** Keys that may look and change nothing (its console makes such). How it refuses them is assumed: nobody has seen it. */
  readonly readOnlyKeys?: readonly string[];
  readonly gpus?: readonly RunpodGpu[];
  /** From the purchase to a container, and from there until its image is fetched. */
  readonly startMs?: number;
  readonly pullMs?: number;
  /** In dollars. */
  readonly balance?: number;
  readonly spendLimit?: number;
  /** What is billed in the place of the list price, as a factor. */
  readonly priceFactor?: number;
  /** What is rented in the place of what was asked for. */
  readonly instead?: { readonly count: number; readonly cloud: 'SECURE' | 'COMMUNITY' };
  /** It has nothing, though its catalogue says so. */
  readonly soldOut?: boolean;
  /** A word that is said in the place of every status. */
  readonly statusWord?: string;
  /** So long it takes to end something. */
  readonly endMs?: number;
  /** The member of this rank is terminated so long after the purchase. */
  readonly loses?: { readonly rank: number; readonly afterMs: number };
}

export type Order = Pick<
  Purchase,
  'name' | 'type' | 'image' | 'disk' | 'env' | 'ports' | 'gpuId' | 'count' | 'cloud'
> & { readonly pods: number };

/** A pod as it is at one moment. */
export interface PodNow {
  readonly isLost: boolean;
  readonly status: string;
  /** Whether its image is fetched. */
  readonly runs: boolean;
  readonly ageMs: number;
  readonly address: RentedAddress | null;
}

export class RunpodAccount {
  readonly options: RunpodOptions;
  readonly #clock: Clock;
  readonly #purchases: Purchase[] = [];
  #last = 0;

  constructor(options: RunpodOptions) {
    this.options = options;
    this.#clock = options.clock;
  }

  get gpus(): readonly RunpodGpu[] {
    return this.options.gpus ?? RUNPOD_GPUS;
  }

  /** Dollars. */
  get balance(): number {
    return (this.options.balance ?? 100) - dollars(this.bill());
  }

  rentals(): readonly SimRental[] {
    return this.#purchases.map(purchase => ({
      id: purchase.id,
      mark: purchase.name,
      boughtAtMs: purchase.boughtAtMs,
      endedAtMs: this.#isOver(purchase) ? purchase.endedAtMs : null,
      perHourMicroUsd: perHour(purchase),
    }));
  }

  bill(atMs = this.#clock.now()): readonly SimBill[] {
    return this.#purchases.flatMap(purchase => billOf(purchase, atMs));
  }

  /** Everything that was ever bought. */
  all(of: Purchase['of']): readonly Purchase[] {
    return this.#purchases.filter(purchase => purchase.of === of);
  }

  standing(of: Purchase['of']): readonly Purchase[] {
    return this.all(of).filter(purchase => !this.#isOver(purchase));
  }

  find(id: string, of?: Purchase['of']): Purchase | undefined {
    return this.#purchases.find(
      purchase => purchase.id === id && (of === undefined || purchase.of === of) && !this.#isOver(purchase),
    );
  }

  buy(of: Purchase['of'], order: Order): Purchase | 'none left' | 'too little money' {
    const price = this.#priceOf(order);
    if (price === null) {
      return 'none left';
    }
    // "Need at least an hour's credit to deploy" (docs, Billing).
    if (this.balance < price * order.pods) {
      return 'too little money';
    }
    const { pods: count, ...bought } = { ...order, ...(of === 'pod' ? this.options.instead : {}) };
    const number = (++this.#last).toString();
    const id = of === 'cluster' ? `cluster_${number}` : `pod${number}`;
    const pods: readonly RunpodPod[] = Array.from({ length: count }, (_, rank) => ({
      id: of === 'cluster' ? `pod${number}r${rank.toString()}` : id,
      rank,
      costMicroUsd: BigInt(Math.ceil(Math.round(price * 1e8) / 100)),
    }));
    const boughtAtMs = this.#clock.now();
    const purchase: Purchase = { ...bought, of, id, pods, boughtAtMs, endedAtMs: null, addresses: new Map() };
    this.#purchases.push(purchase);
    return purchase;
  }

  async end(purchase: Purchase): Promise<void> {
    const { endMs = 0, machines } = this.options;
    purchase.endedAtMs ??= this.#clock.now() + endMs;
    await Promise.all(purchase.pods.map(async ({ id }) => machines?.end(id)));
  }

  /** `RUNNING` comes before it runs. */
  wordAt(boughtAtMs: number): string {
    const { startMs = 2_000 } = this.options;
    return this.#clock.now() - boughtAtMs < startMs ? 'PROVISIONING' : 'RUNNING';
  }

  async now(purchase: Purchase, pod: RunpodPod): Promise<PodNow> {
    const { startMs = 2_000, pullMs = 3_000, statusWord, loses, machines } = this.options;
    const ageMs = this.#clock.now() - purchase.boughtAtMs;
    const isLost = loses !== undefined && loses.rank === pod.rank && ageMs >= loses.afterMs;
    const status = isLost ? 'TERMINATED' : this.wordAt(purchase.boughtAtMs);
    const runs = status === 'RUNNING' && ageMs >= startMs + pullMs;
    if (isLost) {
      await machines?.end(pod.id);
    }
    const address = runs ? await this.#addressOf(purchase, pod) : null;
    return { isLost, status: statusWord ?? status, runs, ageMs, address };
  }

  /** Dollars of one pod an hour; null: it cannot be had. */
  #priceOf({ gpuId, cloud, count }: Order): number | null {
    const { priceFactor = 1, soldOut = false } = this.options;
    const gpu = this.gpus.find(({ id }) => id === gpuId);
    const each = (cloud === 'SECURE' ? gpu?.secure : gpu?.community) ?? null;
    return soldOut || gpu === undefined || each === null || gpu.availability === 'NONE' || count > gpu.max
      ? null
      : each * count * priceFactor;
  }

  #isOver({ endedAtMs }: Purchase): boolean {
    return endedAtMs !== null && endedAtMs <= this.#clock.now();
  }

  async #addressOf(purchase: Purchase, pod: RunpodPod): Promise<RentedAddress | null> {
    const { machines } = this.options;
    const { PUBLIC_KEY: publicKey } = purchase.env;
    if (machines === undefined || publicKey === undefined || !purchase.ports.includes('22/tcp')) {
      return null;
    }
    const starting =
      purchase.addresses.get(pod.id) ??
      machines.start({ id: pod.id, publicKeys: [publicKey], environment: purchase.env });
    purchase.addresses.set(pod.id, starting);
    return starting;
  }
}
