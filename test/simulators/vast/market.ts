/** The market: machines, their asks, and what of them is rented. */
import type { MicroUsd } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { type Contract, holdsGpus, stopped } from './contracts.ts';
import { type Ask, type VastMachine, asksOf, machinesFrom } from './machines.ts';
import type { AskView } from './rows.ts';

export interface MarketOptions {
  readonly clock: Clock;
  readonly seed: number;
  readonly machines: number;
}

/** The least that a bid is raised by. */
const BID_STEP: MicroUsd = 1_000n;
const FIRST_CONTRACT = 30_000_000;

export class VastMarket {
  readonly #clock: Clock;
  readonly #openedAtMs: number;
  readonly #asks = new Map<number, Ask>();
  readonly #contracts = new Map<number, Contract>();
  /** Contracts by their machine: a search asks each ask whether it is free. */
  readonly #onMachine = new Map<number, number[]>();
  readonly #taken = new Set<number>();
  #percent = 100n;
  #lastContract = FIRST_CONTRACT;

  constructor({ clock, seed, machines }: MarketOptions) {
    this.#clock = clock;
    this.#openedAtMs = clock.now();
    machinesFrom(seed, machines).forEach((machine, place) => {
      asksOf(machine, place).forEach(ask => this.#asks.set(ask.id, ask));
    });
  }

  get openedAtMs(): number {
    return this.#openedAtMs;
  }

  asks(): Iterable<Ask> {
    return this.#asks.values();
  }

  ask(id: number): Ask | undefined {
    return this.#asks.get(id);
  }

  contracts(): readonly Contract[] {
    return [...this.#contracts.values()];
  }

  contract(id: number): Contract | undefined {
    return this.#contracts.get(id);
  }

  nextContract(): number {
    this.#lastContract += 1;
    return this.#lastContract;
  }

  keep(contract: Contract): Contract {
    if (!this.#contracts.has(contract.id)) {
      const { machineId } = contract.ask.machine;
      this.#onMachine.set(machineId, [...(this.#onMachine.get(machineId) ?? []), contract.id]);
    }
    this.#contracts.set(contract.id, contract);
    return contract;
  }

  /** Somebody else rents it, or gives it back. */
  takeElsewhere(askId: number, taken = true): void {
    if (taken) {
      this.#taken.add(askId);
    } else {
      this.#taken.delete(askId);
    }
  }

  /** All asks cost so many percent of what they cost at first; what is rented keeps its price. */
  reprice(percent: number): void {
    this.#percent = BigInt(Math.round(percent));
  }

  /** What it costs now, by bids or not. */
  view(ask: Ask, isBid: boolean, allocatedGb: number): AskView {
    const count = BigInt(ask.gpus.length);
    return {
      isBid,
      allocatedGb,
      gpuMicroUsd: (ask.machine.perGpuMicroUsd * count * this.#percent) / 100n,
      minBidMicroUsd: this.minBid(ask),
      endsAtMs: this.#openedAtMs + ask.machine.letForMs,
    };
  }

  /** Above all that others bid for the same GPUs. */
  minBid(ask: Ask): MicroUsd {
    const least = (ask.machine.minBidPerGpuMicroUsd * BigInt(ask.gpus.length) * this.#percent) / 100n;
    return this.#holders(ask)
      .filter(({ isBid }) => isBid)
      .reduce((most, { gpuMicroUsd }) => (gpuMicroUsd >= most ? gpuMicroUsd + BID_STEP : most), least);
  }

  /** Whether somebody can have it: what runs by bids gives way. */
  isFree(ask: Ask): boolean {
    const isLet = this.#clock.now() < this.#openedAtMs + ask.machine.letForMs;
    return isLet && !this.#taken.has(ask.id) && this.#holders(ask).every(({ isBid }) => isBid);
  }

  /** Whoever runs by bids on these GPUs stops. */
  makeWay(ask: Ask): readonly Contract[] {
    const atMs = this.#clock.now();
    return this.#holders(ask).map(contract => this.keep(stopped(contract, { by: 'bid', atMs })));
  }

  machineOf(machineId: number): VastMachine | undefined {
    return [...this.#asks.values()].find(({ machine }) => machine.machineId === machineId)?.machine;
  }

  #holders(ask: Ask): readonly Contract[] {
    const nowMs = this.#clock.now();
    return (this.#onMachine.get(ask.machine.machineId) ?? [])
      .flatMap(id => this.#contracts.get(id) ?? [])
      .filter(
        contract => holdsGpus(contract, nowMs) && contract.ask.gpus.some(place => ask.gpus.includes(place)),
      );
  }
}
