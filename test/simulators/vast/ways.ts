/** How contracts are reached: ports outside, the keys that open them, and the machines that stand behind them, if any. */
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { SimMachines } from '../frame/simulator.ts';
import type { SshKey } from './account.ts';
import { type Contract, isOver, restarted, runningAt, startsUntil } from './contracts.ts';
import type { VastMarket } from './market.ts';
import type { Way } from './rows.ts';

export interface WaysOptions {
  readonly clock: Clock;
  readonly market: VastMarket;
  /** Left out: contracts are records, and lead nowhere. */
  readonly machines?: SimMachines;
  /** After so long a container's keys are written anew, from those that are attached to its contract. */
  readonly keysRewrittenAfterMs: number;
}

interface Attached extends SshKey {
  readonly sinceMs: number;
}

const PUBLIC_KEY = /(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp256) [A-Za-z0-9+/=]+/g;
const FIRST_PORT = 20_000;
const PORTS = 40_000;

export class Ways {
  readonly #options: WaysOptions;
  readonly #attached = new Map<number, readonly Attached[]>();
  readonly #places = new Map<number, Way>();
  readonly #timers = new Set<Timer>();
  /** What is being started, or ended, by its contract: one after the other. */
  readonly #work = new Map<number, Promise<void>>();

  constructor(options: WaysOptions) {
    this.#options = options;
  }

  get areReal(): boolean {
    return this.#options.machines !== undefined;
  }

  attached(id: number): readonly SshKey[] {
    return this.#attached.get(id) ?? [];
  }

  /** Those that open it now: of what its start-up wrote nothing is left after some hours (SkyPilot, pull request 10730). */
  keysNow(contract: Contract): readonly string[] {
    const { clock, keysRewrittenAfterMs } = this.#options;
    const { id, createdAtMs, keysLostAtMs } = contract;
    const lostMs = keysLostAtMs !== null && keysLostAtMs <= clock.now() ? keysLostAtMs : -Infinity;
    const own = (this.#attached.get(id) ?? []).flatMap(({ publicKey, sinceMs }) =>
      sinceMs < lostMs ? [] : [publicKey],
    );
    const isRewritten = clock.now() - createdAtMs >= keysRewrittenAfterMs;
    return isRewritten ? own : [...own, ...(contract.onstart?.match(PUBLIC_KEY) ?? [])];
  }

  async attach(contract: Contract, key: SshKey): Promise<void> {
    const before = this.#attached.get(contract.id) ?? [];
    this.#attached.set(contract.id, [...before, this.#since(key)]);
    await this.letIn(contract);
  }

  async detach(contract: Contract, keyId: number): Promise<boolean> {
    const before = this.#attached.get(contract.id) ?? [];
    const kept = before.filter(({ id }) => id !== keyId);
    this.#attached.set(contract.id, kept);
    await this.letIn(contract);
    return kept.length < before.length;
  }

  async letIn(contract: Contract): Promise<void> {
    if (this.#places.has(contract.id)) {
      await this.#options.machines?.letIn(contract.id.toString(), this.keysNow(contract));
    }
  }

  /**
   * Where it is now; null while it does not run. A container that starts again has other ports (`reboot_instance.yaml`:
   * the container is stopped and started).
   */
  wayOf(contract: Contract, nowMs: number): Way | null {
    if (runningAt(contract, nowMs) === undefined) {
      return null;
    }
    const starts = startsUntil(contract, nowMs);
    return this.areReal
      ? (this.#places.get(contract.id) ?? null)
      : {
          address: contract.ask.machine.address,
          port: FIRST_PORT + ((contract.id * 31 + starts * 7919) % PORTS),
        };
  }

  /** Keys that it has from its purchase: those of the account (`create_ssh_key.yaml`). */
  bought(contract: Contract, accountKeys: readonly SshKey[]): void {
    this.#attached.set(
      contract.id,
      accountKeys.map(key => this.#since(key)),
    );
    if (this.areReal) {
      this.start(contract);
      this.#writeKeysIn(contract, this.#options.keysRewrittenAfterMs);
      if (contract.keysLostAtMs !== null) {
        this.#writeKeysIn(contract, contract.keysLostAtMs - contract.createdAtMs);
      }
    }
  }

  #writeKeysIn(contract: Contract, ms: number): void {
    this.#timers.add(
      this.#options.clock.setTimer(() => this.#inTurn(contract.id, () => this.letIn(contract)), ms),
    );
  }

  #since = (key: SshKey): Attached => ({ ...key, sinceMs: this.#options.clock.now() });

  /** Starts the machine behind it, unless its contract ends first. */
  start({ id }: Contract): void {
    const { machines, market, clock } = this.#options;
    this.#inTurn(id, async () => {
      const contract = market.contract(id);
      if (machines === undefined || contract === undefined || isOver(contract, clock.now())) {
        return;
      }
      const { host, port } = await machines
        .start({
          id: id.toString(),
          publicKeys: this.keysNow(contract),
          // What the network puts in beside what its renter asked for (`vastai` 1.9.1, `serve_deployment.py`).
          environment: {
            ...valuesOf(contract),
            CONTAINER_ID: id.toString(),
            CONTAINER_API_KEY: contract.ownKey,
          },
        })
        .then(placed);
      this.#places.set(id, { address: host, port });
      // Keys may have been attached while it started.
      await this.letIn(contract);
      const atMs = clock.now();
      const now = market.contract(id);
      if (now !== undefined && now.stop === null) {
        market.keep(restarted(now, atMs, atMs));
      }
    });
  }

  /** Ends the machine behind it; what is on it is gone, of a stopped container too, which a real host keeps. */
  end({ id }: Contract): void {
    this.#inTurn(id, async () => {
      this.#places.delete(id);
      await this.#options.machines?.end(id.toString());
    });
  }

  async close(): Promise<void> {
    this.#timers.forEach(timer => timer.cancel());
    await Promise.all(this.#work.values());
    await this.#options.machines?.close();
  }

  #inTurn(id: number, work: () => Promise<void>): void {
    const before = this.#work.get(id) ?? Promise.resolve();
    const { market } = this.#options;
    this.#work.set(
      id,
      before.then(work).catch((error: unknown) => {
        const contract = market.contract(id);
        if (contract !== undefined) {
          market.keep({ ...contract, brokenWords: `Error: ${errorText(error)}` });
        }
      }),
    );
  }
}

/** Without the flags for ports that stand among them. */
const valuesOf = ({ env }: Contract): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('-')));

function placed(address: Awaited<ReturnType<SimMachines['start']>>): { host: string; port: number } {
  if (address.kind !== 'rented') {
    throw new Error('A simulated machine is reached by its host and port.');
  }
  return address;
}
