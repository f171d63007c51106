/**
 * Vast.ai, simulated: a state machine with a clock and a seed behind the calls of its API. What its comments name:
 * `….yaml` are pages of `vast-ai/docs`, `api-reference/openapi`; `vastai` 1.9.1 is the vendor's own client on PyPI.
 */
import type { MicroUsd } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { seededRandom } from '@hitch/platform/src/random.ts';
import type {
  SimAnswer,
  SimBill,
  SimMachines,
  SimRental,
  SimRequest,
  Simulator,
} from '../frame/simulator.ts';
import { isAnswer, VastAccount } from './account.ts';
import { charges } from './charges.ts';
import { type Contract, billedUntil, endOf, rateAt } from './contracts.ts';
import { VastDesk } from './desk.ts';
import { filterValues, listPage, oldList, shownContracts } from './instances.ts';
import { type LieRule, Lies } from './lies.ts';
import { Limits } from './limits.ts';
import { VastMarket } from './market.ts';
import { refusal } from './purchase.ts';
import { type Route, routeOf } from './routes.ts';
import { contractRow, type Row } from './rows.ts';
import { isOurs, wrongOf } from './schemas.ts';
import { search } from './search.ts';
import { Ways } from './ways.ts';

export interface VastOptions {
  readonly clock: Clock;
  readonly seed?: number;
  /** How many computers are let; some of them in 15 ways. */
  readonly machineCount?: number;
  /** Keys that are let in. */
  readonly keys?: readonly string[];
  readonly creditMicroUsd?: MicroUsd;
  readonly isTeam?: boolean;
  readonly lies?: readonly LieRule[];
  /** Whether calls that come too early are refused, as the real ones are. */
  readonly limits?: boolean;
  readonly searchesPerDay?: number | null;
  /** From the purchase until its container runs; not of real machines. */
  readonly bootMs?: number;
  readonly keysRewrittenAfterMs?: number;
  /** What stands behind the contracts; left out: nothing does. */
  readonly machines?: SimMachines;
}

/** The key that a simulated account has, if nothing else is said. */
export const VAST_KEY = 'vast-simulated-key-0123456789abcdef';

const KEYS_REWRITTEN_MS = 3 * 3_600_000;

export class VastSimulator implements Simulator {
  readonly id = 'vast';
  readonly market: VastMarket;
  readonly account: VastAccount;
  readonly lies: Lies;
  readonly ways: Ways;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #desk: VastDesk;
  readonly #complaints: string[] = [];

  constructor(options: VastOptions) {
    const { clock, seed = 1, keys = [VAST_KEY], lies = [], machines } = options;
    const random = seededRandom(seed);
    this.#clock = clock;
    this.lies = new Lies(lies, random);
    const market = new VastMarket({ clock, seed, machines: options.machineCount ?? 44 });
    this.market = market;
    this.account = new VastAccount({
      keys,
      market,
      creditMicroUsd: options.creditMicroUsd ?? 1_000_000_000n,
      isTeam: options.isTeam ?? false,
    });
    this.ways = new Ways({
      clock,
      market,
      keysRewrittenAfterMs: options.keysRewrittenAfterMs ?? KEYS_REWRITTEN_MS,
      ...(machines === undefined ? {} : { machines }),
    });
    this.#limits = new Limits({
      clock,
      on: options.limits ?? false,
      searchesPerDay: options.searchesPerDay ?? null,
    });
    this.#desk = new VastDesk({
      clock,
      market,
      account: this.account,
      ways: this.ways,
      lies: this.lies,
      random,
      bootMs: options.bootMs ?? 20_000,
    });
  }

  /** What our own adapter sent and the real network would not have understood: a test fails where there is any. */
  get complaints(): readonly string[] {
    return this.#complaints;
  }

  async handle(request: SimRequest): Promise<SimAnswer> {
    const ours = isOurs(request);
    const route = routeOf(request) ?? (ours ? null : routeOf({ ...request, path: `${request.path}/` }));
    const wrong = ours ? wrongOf(request, route) : null;
    if (wrong !== null) {
      this.#complaints.push(wrong);
      return refusal(400, 'invalid_args', `The simulator does not know: ${wrong}`);
    }
    if (route === null) {
      return refusal(404, 'not_found', 'There is nothing here.');
    }
    this.#desk.stopWithoutCredit();
    return this.#limited(request, route);
  }

  rentals(): readonly SimRental[] {
    const nowMs = this.#clock.now();
    return this.market.contracts().map(contract => ({
      id: contract.id.toString(),
      mark: contract.label,
      boughtAtMs: contract.createdAtMs,
      endedAtMs: endOf(contract, nowMs),
      perHourMicroUsd: rateAt(contract, nowMs),
    }));
  }

  bill(): readonly SimBill[] {
    const nowMs = this.#clock.now();
    return this.market.contracts().flatMap(contract => {
      const { gpu, disk } = billedUntil(contract, nowMs);
      const line = { id: contract.id.toString(), mark: contract.label };
      return [
        { ...line, label: 'GPU', amountMicroUsd: gpu },
        { ...line, label: 'Disk', amountMicroUsd: disk },
      ];
    });
  }

  async close(): Promise<void> {
    await this.ways.close();
  }

  /** A search needs no login (gpuhunt, `VastAIProvider.get`). */
  async #limited(request: SimRequest, route: Route): Promise<SimAnswer> {
    const caller = route.name === 'search' ? null : this.account.callerOf(request, route);
    if (caller !== null && isAnswer(caller)) {
      return caller;
    }
    return (
      this.#limits.refusal(route.name, request.headers['authorization'] ?? '') ??
      (await this.#answer(request, route))
    );
  }

  async #answer(request: SimRequest, { name, ids }: Route): Promise<SimAnswer> {
    const nowMs = this.#clock.now();
    const id = Number(ids[0] ?? 0);
    switch (name) {
      case 'search':
        return search(this.market, request.body, this.lies, nowMs);
      case 'create':
        return this.#desk.create(id, request.body);
      case 'get':
        return this.#show(id, nowMs);
      case 'list':
        return listPage(this.#rows(nowMs), request, this.lies);
      case 'old-list':
        return oldList(this.#rows(nowMs));
      case 'filters':
        return filterValues(this.#rows(nowMs));
      case 'manage':
        return this.#desk.manage(id, request.body);
      case 'reboot':
        return this.#desk.reboot(id);
      case 'destroy':
        return this.#desk.destroy(id);
      case 'change-bid':
        return this.#desk.changeBid(id, request.body);
      case 'keys':
        return this.#desk.keys(id);
      case 'attach-key':
        return this.#desk.attachKey(id, request.body);
      case 'detach-key':
        return this.#desk.detachKey(id, Number(ids[1] ?? 0));
      case 'account-keys':
        return this.account.listKeys();
      case 'add-account-key':
        return this.#desk.addAccountKey(request.body);
      case 'remove-account-key':
        return this.account.removeKey(id);
      case 'charges':
        return charges(this.market.contracts(), request, nowMs);
      case 'user':
        return this.account.user(nowMs);
    }
  }

  /** What is gone is `{"instances":null}`, with 200 (`vastai` 1.9.1, `show_instance`). */
  #show(id: number, nowMs: number): SimAnswer {
    const contract = shownContracts(this.market, nowMs).find(shown => shown.id === id);
    const row = contract === undefined ? null : this.#row(contract, nowMs);
    return {
      status: 200,
      body: { instances: row === null || contract?.showsLabel !== false ? row : { ...row, label: null } },
    };
  }

  readonly #row = (contract: Contract, nowMs: number): Row =>
    contractRow(contract, this.ways.wayOf(contract, nowMs), nowMs);

  #rows(nowMs: number): readonly Row[] {
    return shownContracts(this.market, nowMs).map(contract => this.#row(contract, nowMs));
  }
}
