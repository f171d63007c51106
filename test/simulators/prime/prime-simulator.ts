/**
 * Prime Intellect, as far as Hitch and its own client ask it: `prime` 0.18.0 on PyPI, whose files are named here, and
 * `prime_cli/api/ssh_keys.py` of its repository for keys. What it lies about: `ACTIVE` is said at 40 % of the installation
 * (`commands/pods.py`, `_format_pod_for_status`), ssh leads to `[null]` until then (`api/pods.py`, `clean_connection_fields`),
 * and that there is none left is said in words alone (SkyPilot, `provision/primeintellect/utils.py`, `_parse_api_error`).
 */
import type { MicroUsd } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { microUsdOf } from '../../../backend-proxy/src/providers/http/dollars.ts';
import type {
  SimAnswer,
  SimBill,
  SimMachines,
  SimRental,
  SimRequest,
  Simulator,
} from '../frame/simulator.ts';
import { isHitch, readBody } from '../runpod/requests.ts';
import { availabilityPage, PRIME_ROWS, PRIME_TOGETHER, type PrimeRow } from './availability.ts';
import { billOf, dollarsOf, historyRow, isOver, podRow, type PrimePod, progressOf } from './pods.ts';
import { createKeySchema, createPodSchema, type Order } from './requests.ts';

export interface PrimeOptions {
  readonly clock: Clock;
  readonly keys?: readonly string[];
  /** Left out: machines are records, and ssh leads to an address where nobody is. */
  readonly machines?: SimMachines;
  readonly rows?: readonly PrimeRow[];
  /** From the purchase to `ACTIVE`, and from there until it is installed. */
  readonly startMs?: number;
  readonly installMs?: number;
  /** In dollars. */
  readonly balance?: number;
  /** It has nothing, though its list says so. */
  readonly soldOut?: boolean;
  /** What is charged in the place of what the list says, as a factor. */
  readonly priceFactor?: number;
  /** So long it is `DELETING`, and billed. */
  readonly endMs?: number;
  /** A word that is said in the place of every status. */
  readonly statusWord?: string;
}

export const PRIME_KEY = 'pit_simulated_key_0123456789';

interface SshKey {
  readonly id: string;
  readonly name: string;
  readonly publicKey: string;
}

export class PrimeSimulator implements Simulator {
  readonly id = 'prime';
  /** What Hitch sent that the network would refuse. */
  readonly complaints: string[] = [];
  readonly #options: PrimeOptions;
  readonly #clock: Clock;
  readonly #pods: PrimePod[] = [];
  readonly #keys: string[];
  #sshKeys: SshKey[] = [
    { id: 'key-0', name: 'laptop', publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIlaptop' },
  ];
  #last = 0;

  constructor(options: PrimeOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#keys = [...(options.keys ?? [PRIME_KEY])];
  }

  get sshKeys(): readonly SshKey[] {
    return this.#sshKeys;
  }

  /** Everything that was ever rented. */
  get pods(): readonly PrimePod[] {
    return this.#pods;
  }

  /** A key that somebody else puts on the account, by hand. */
  addOthersKey(name: string, publicKey: string): void {
    this.#sshKeys.push({ id: `key-${(++this.#last).toString()}`, name, publicKey });
  }

  async handle(request: SimRequest): Promise<SimAnswer> {
    const bearer = /^Bearer (.+)$/.exec(request.headers['authorization'] ?? '')?.[1] ?? '';
    if (!this.#keys.includes(bearer)) {
      return refusal(401, 'Invalid API key');
    }
    const path = /^\/api\/v1(\/.*?)\/?$/.exec(request.path)?.[1] ?? '';
    return this.#route(request, path);
  }

  rentals(): readonly SimRental[] {
    const nowMs = this.#clock.now();
    return this.#pods.map(pod => ({
      id: pod.id,
      mark: pod.name,
      boughtAtMs: pod.boughtAtMs,
      endedAtMs: isOver(pod, nowMs) ? pod.endedAtMs : null,
      perHourMicroUsd: pod.perHourMicroUsd,
    }));
  }

  bill(): readonly SimBill[] {
    return this.#pods.map(pod => billOf(pod, this.#clock.now()));
  }

  async close(): Promise<void> {
    await this.#options.machines?.close();
  }

  #route({ method, query, body, headers }: SimRequest, path: string): SimAnswer | Promise<SimAnswer> {
    const [, of = '', id = ''] = /^\/(pods|ssh_keys)\/([^/]+)$/.exec(path) ?? [];
    switch (`${method} ${path}`) {
      case 'GET /availability/gpus':
        return availabilityPage(this.#options.rows ?? PRIME_ROWS, query);
      case 'GET /availability/multi-node':
        return availabilityPage(PRIME_TOGETHER, query);
      case 'GET /user/whoami':
        return WHOAMI;
      case 'GET /billing/wallet':
        return this.#wallet();
      case 'GET /ssh_keys':
        return this.#listKeys(query);
      case 'POST /ssh_keys':
        return this.#addKey(body, headers);
      case 'GET /pods':
        return this.#listPods(query);
      case 'POST /pods':
        return this.#createPod(body, headers);
      case 'GET /pods/status':
        return this.#statuses(query.getAll('pod_ids'));
      case 'GET /pods/history':
        return this.#history(query);
      default:
        return this.#routeOne(method, of, decodeURIComponent(id));
    }
  }

  #routeOne(method: string, of: string, id: string): SimAnswer | Promise<SimAnswer> {
    if (method === 'DELETE' && of === 'ssh_keys') {
      return this.#removeKey(id);
    }
    const pod = of === 'pods' ? this.#find(id) : undefined;
    if (pod === undefined) {
      return refusal(404, 'Not found');
    }
    switch (method) {
      case 'GET':
        return this.#row(pod).then(row => ({ status: 200, body: row }));
      case 'DELETE':
        return this.#end(pod);
      default:
        return refusal(405, 'Method Not Allowed');
    }
  }

  #createPod(body: unknown, headers: SimRequest['headers']): SimAnswer | Promise<SimAnswer> {
    const read = readBody(createPodSchema, body, isHitch(headers));
    if ('problems' in read) {
      return this.#invalid(read.problems, headers);
    }
    const { pod: order, provider } = read.value;
    const row = this.#rowFor(order, provider.type);
    if (row === undefined || this.#options.soldOut === true) {
      return refusal(400, 'No capacity available for this configuration');
    }
    const perHourMicroUsd = this.#priceOf(row, order);
    const wrong = wrongDisk(row, order) ?? wrongImage(row, order);
    if (wrong !== null) {
      return this.#invalid([wrong], headers);
    }
    // "Payment required" (`core/client.py`, `PaymentRequiredError`); from how much on is assumed: an hour, and all that is prepaid.
    const needed = dollarsOf(perHourMicroUsd) * Math.max(1, row.prepaidTime ?? 0);
    return needed > this.#left()
      ? refusal(402, 'Insufficient balance')
      : this.#bought(row, order, perHourMicroUsd);
  }

  async #bought(row: PrimeRow, order: Order, perHourMicroUsd: MicroUsd): Promise<SimAnswer> {
    const { startMs = 2_000, installMs = 3_000 } = this.#options;
    const pod: PrimePod = {
      id: `pod${(++this.#last).toString().padStart(6, '0')}`,
      name: order.name ?? null,
      gpuName: row.gpuType,
      gpuCount: row.gpuCount,
      socket: row.socket,
      providerType: row.provider,
      isSpot: row.isSpot,
      image: order.image ?? null,
      perHourMicroUsd,
      prepaidMicroUsd: perHourMicroUsd * BigInt(row.prepaidTime ?? 0),
      boughtAtMs: this.#clock.now(),
      endedAtMs: null,
      startMs,
      installMs,
      // Of all the account has, also those that are not its primary one: SkyPilot logs in with one that it adds so
      // (`provision/primeintellect/utils.py`, `get_or_add_ssh_key`). That later ones are not let in is assumed.
      publicKeys: this.#sshKeys.map(({ publicKey }) => publicKey),
      address: null,
    };
    this.#pods.push(pod);
    return { status: 200, body: await this.#row(pod) };
  }

  #rowFor(order: Order, provider: string | undefined): PrimeRow | undefined {
    return (this.#options.rows ?? PRIME_ROWS).find(
      row =>
        row.cloudId === order.cloudId &&
        row.gpuType === order.gpuType &&
        row.socket === order.socket &&
        row.gpuCount === order.gpuCount &&
        row.dataCenter === order.dataCenterId &&
        row.provider === provider &&
        row.stockStatus !== 'Unavailable',
    );
  }

  #priceOf({ prices, disk }: PrimeRow, { diskSize }: Order): MicroUsd {
    const gpu = prices.communityPrice ?? prices.onDemand ?? 0;
    const plain = disk.defaultCount ?? 0;
    const charged = (diskSize ?? plain) - (disk.defaultIncludedInPrice === true ? plain : 0);
    const each = disk.pricePerUnit === null ? 0n : microUsdOf(disk.pricePerUnit);
    const all = microUsdOf(gpu) + each * BigInt(Math.max(0, charged));
    return (all * BigInt(Math.round((this.#options.priceFactor ?? 1) * 100))) / 100n;
  }

  #find(id: string): PrimePod | undefined {
    return this.#standing().find(pod => pod.id === id);
  }

  #standing(): readonly PrimePod[] {
    return this.#pods.filter(pod => !isOver(pod, this.#clock.now()));
  }

  /** "DELETE answers the pod's state": what it is then, which may go on (`api/pods.py`, `delete`, reads none of it). */
  async #end(pod: PrimePod): Promise<SimAnswer> {
    pod.endedAtMs ??= this.#clock.now() + (this.#options.endMs ?? 0);
    await this.#options.machines?.end(pod.id);
    return { status: 200, body: { status: isOver(pod, this.#clock.now()) ? 'TERMINATED' : 'DELETING' } };
  }

  async #row(pod: PrimePod): Promise<ReturnType<typeof podRow>> {
    const way = await this.#wayTo(pod);
    return podRow(pod, this.#clock.now(), { way, word: this.#options.statusWord ?? null });
  }

  async #wayTo(pod: PrimePod): Promise<string | null> {
    const { machines } = this.#options;
    const { status, percent } = progressOf(pod, this.#clock.now());
    if (status !== 'ACTIVE' || percent < 100) {
      return null;
    }
    if (machines === undefined) {
      return 'root@192.0.2.7 -p 22022';
    }
    pod.address ??= machines.start({ id: pod.id, publicKeys: pod.publicKeys, environment: {} });
    const { user, host, port } = await pod.address;
    return `${user}@${host} -p ${port.toString()}`;
  }

  /** `PodList`. */
  async #listPods(query: URLSearchParams): Promise<SimAnswer> {
    const { page, ...rest } = pageOf(this.#standing(), query);
    return {
      status: 200,
      body: {
        total_count: rest.total,
        offset: rest.offset,
        limit: rest.limit,
        data: await Promise.all(page.map(pod => this.#row(pod))),
      },
    };
  }

  /** `PodStatus`, of those that are there. */
  async #statuses(ids: readonly string[]): Promise<SimAnswer> {
    const pods = this.#standing().filter(({ id }) => ids.includes(id));
    const rows = await Promise.all(pods.map(pod => this.#row(pod)));
    return { status: 200, body: { data: rows.map(row => ({ ...row, podId: row.id })) } };
  }

  /** `HistoryList`: what is over; in which order, `tools/pods.py` of its MCP server says. */
  #history(query: URLSearchParams): SimAnswer {
    const over = this.#pods
      .filter(pod => isOver(pod, this.#clock.now()))
      .toSorted((a, b) => (b.endedAtMs ?? 0) - (a.endedAtMs ?? 0));
    const { page, total, offset, limit } = pageOf(over, query);
    return { status: 200, body: { total_count: total, offset, limit, data: page.map(historyRow) } };
  }

  #listKeys(query: URLSearchParams): SimAnswer {
    const { page, total, offset, limit } = pageOf(this.#sshKeys, query);
    return { status: 200, body: { totalCount: total, offset, limit, data: page.map(keyRow) } };
  }

  /** That the same key is refused a second time is assumed: SkyPilot looks for it before it adds one. */
  #addKey(body: unknown, headers: SimRequest['headers']): SimAnswer {
    const read = readBody(createKeySchema, body, isHitch(headers));
    if ('problems' in read) {
      return this.#invalid(read.problems, headers);
    }
    const { name, publicKey } = read.value;
    if (this.#sshKeys.some(other => bare(other.publicKey) === bare(publicKey))) {
      return refusal(409, 'SSH key already exists');
    }
    const key = { id: `key-${(++this.#last).toString()}`, name, publicKey };
    this.#sshKeys.push(key);
    return { status: 200, body: keyRow(key) };
  }

  #removeKey(id: string): SimAnswer {
    const kept = this.#sshKeys.filter(key => key.id !== id);
    const wasThere = kept.length < this.#sshKeys.length;
    this.#sshKeys = kept;
    return wasThere ? { status: 200, body: {} } : refusal(404, 'SSH key not found');
  }

  #left(): number {
    const spent = this.bill().reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n);
    return (this.#options.balance ?? 1_000) - dollarsOf(spent);
  }

  /** Model `Wallet` (`api/wallet.py`). */
  #wallet(): SimAnswer {
    return {
      status: 200,
      body: {
        wallet_id: 'wallet-1',
        balance_usd: this.#left(),
        currency: 'USD',
        total_billings: 0,
        recent_billings: [],
      },
    };
  }

  /** 422 with a list (`core/client.py`, `ValidationError`). */
  #invalid(problems: readonly string[], headers: SimRequest['headers']): SimAnswer {
    if (isHitch(headers)) {
      this.complaints.push(...problems);
    }
    return { status: 422, body: { detail: problems.map(msg => ({ loc: ['body'], msg })) } };
  }
}

const refusal = (status: number, detail: string): SimAnswer => ({ status, body: { detail } });

/** `commands/whoami.py`. */
const WHOAMI: SimAnswer = {
  status: 200,
  body: {
    data: {
      id: 'user-1',
      email: 'a@example.com',
      name: 'A',
      slug: 'a',
      scope: { instances: { read: true, write: true }, billing: { read: true, write: false }, storage: null },
    },
  },
};

function pageOf<Row>(rows: readonly Row[], query: URLSearchParams) {
  const [offset, limit] = [Number(query.get('offset') ?? 0), Number(query.get('limit') ?? 100)];
  return { page: rows.slice(offset, offset + limit), total: rows.length, offset, limit };
}

const keyRow = ({ id, name, publicKey }: SshKey) => ({
  id,
  userId: 'user-1',
  name,
  publicKey,
  isPrimary: id === 'key-0',
  isUserKey: true,
});

const bare = (key: string): string => key.split(/\s+/).slice(0, 2).join(' ');

function wrongDisk({ disk }: PrimeRow, { diskSize }: Order): string | null {
  const size = diskSize ?? disk.defaultCount ?? 0;
  const [least, most] = [disk.minCount ?? size, disk.maxCount ?? size];
  return size < least || size > most
    ? `pod.diskSize: must be ${least.toString()} to ${most.toString()}`
    : null;
}

const wrongImage = ({ images }: PrimeRow, { image }: Order): string | null =>
  image === null || image === undefined || images === null || images.includes(image)
    ? null
    : `pod.image: ${image} is not an image of this configuration`;
