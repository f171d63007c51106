/** `PUT /api/v0/asks/{id}/`: a contract for an ask, or the refusal, or both. */
import type { MicroUsd } from '@hitch/contract';
import * as z from 'zod';
import type { SimAnswer } from '../frame/simulator.ts';
import { type Contract, type Run, stopped } from './contracts.ts';
import type { Lies } from './lies.ts';
import type { Ask } from './machines.ts';
import type { VastMarket } from './market.ts';

const orderSchema = z.looseObject({
  image: z.string().nullish(),
  label: z.string().nullish(),
  disk: z.number().default(8),
  runtype: z.string().default('ssh'),
  env: z.union([z.record(z.string(), z.coerce.string()), z.string()]).nullish(),
  onstart: z.string().nullish(),
  price: z.number().nullish(),
  cancel_unavail: z.boolean().nullish(),
  target_state: z.enum(['running', 'stopped']).default('running'),
  template_hash_id: z.string().nullish(),
});
type Order = z.infer<typeof orderSchema>;

const LEAST_DISK_GB = 8;
const RESTART_MS = 10_000;

export interface PurchaseOptions {
  readonly market: VastMarket;
  readonly lies: Lies;
  readonly nowMs: number;
  /** From the purchase until it runs; null: somebody starts a machine, and says so. */
  readonly bootMs: number | null;
  readonly ownKey: string;
  readonly hasCredit: boolean;
}

export interface Purchase {
  readonly answer: SimAnswer;
  /** Null: nothing was bought. */
  readonly contract: Contract | null;
  /** Those that had to make way. */
  readonly outbid: readonly Contract[];
}

const refused = (answer: SimAnswer): Purchase => ({ answer, contract: null, outbid: [] });

/** The refusals of `create_instance.yaml`, by its words. */
export const refusal = (
  status: number,
  error: string,
  msg: string,
  more: Readonly<Record<string, unknown>> = {},
): SimAnswer => ({ status, body: { success: false, error, msg, ...more } });

export function purchase(askId: number, body: unknown, options: PurchaseOptions): Purchase {
  const read = orderSchema.safeParse(body);
  if (!read.success) {
    const words = z.prettifyError(read.error);
    return refused(refusal(400, 'invalid_args', `error 400/3467: ${words}`, { ask_id: askId }));
  }
  const ask = options.market.ask(askId);
  const no = ask === undefined ? noSuchAsk(askId) : refusalOf(ask, read.data, options);
  return ask === undefined || no !== null ? refused(no ?? noSuchAsk(askId)) : bought(ask, read.data, options);
}

const noSuchAsk = (id: number): SimAnswer =>
  refusal(
    404,
    'invalid_args',
    `error 404/3603: no_such_ask Instance type by id ${id.toString()} is not available.`,
    {
      ask_id: id,
    },
  );

const noLonger = (id: number): SimAnswer =>
  refusal(
    410,
    'no_such_ask',
    `error 410/3907: no_such_ask Instance type ${id.toString()} is no longer available.`,
    {
      ask_id: id,
    },
  );

function refusalOf(ask: Ask, order: Order, { market, lies, hasCredit }: PurchaseOptions): SimAnswer | null {
  const free = (ask.machine.diskGb * ask.gpus.length) / ask.machine.gpuCount;
  if ((order.image ?? order.template_hash_id ?? '') === '') {
    return refusal(400, 'invalid_args', 'error 400/3467: Invalid args: image is required', {
      ask_id: ask.id,
    });
  }
  if (order.disk < LEAST_DISK_GB || order.disk > free) {
    return refusal(400, 'invalid_args', `error 400/3467: Invalid args: disk ${order.disk.toString()}`, {
      ask_id: ask.id,
    });
  }
  if (typeof order.price === 'number' && (order.price < 0.001 || order.price > 128)) {
    return refusal(400, 'invalid_price', 'error 400/3470: Please set a bid price >= 0.001.', {
      ask_id: ask.id,
    });
  }
  if (!hasCredit) {
    // Not in the documentation; callers report `400 Your account lacks credit`.
    return refusal(400, 'insufficient_credit', 'Your account lacks credit; see the billing page.', {
      ask_id: ask.id,
    });
  }
  return !market.isFree(ask) || lies.tell('vanish-offer') !== null ? noLonger(ask.id) : null;
}

function bought(ask: Ask, order: Order, options: PurchaseOptions): Purchase {
  const { market, lies } = options;
  const bid = typeof order.price === 'number' ? BigInt(Math.round(order.price * 1_000_000)) : null;
  const isTooLow = bid !== null && bid < market.minBid(ask);
  // Of bids it is not cancelled unless that is said (`create_instance.yaml`, `cancel_unavail`).
  if (isTooLow && order.cancel_unavail === true) {
    return refused(noLonger(ask.id));
  }
  const fails = isTooLow || lies.tell('error-with-contract') !== null;
  const stands = fails || order.target_state === 'stopped';
  const outbid = stands ? [] : market.makeWay(ask);
  const made = contractOf(ask, order, bid, options);
  const atMs = options.nowMs;
  const contract = market.keep(stands ? stopped(made, { by: fails ? 'bid' : 'owner', atMs }) : made);
  const { id: new_contract, ownKey: instance_api_key } = contract;
  const answer = fails
    ? refusal(400, 'invalid_price', 'error 400/3471: The bid is too low to start the instance.', {
        ask_id: ask.id,
        new_contract,
      })
    : { status: 200, body: { success: true, new_contract, instance_api_key } };
  return { answer, contract, outbid };
}

function contractOf(ask: Ask, order: Order, bid: MicroUsd | null, options: PurchaseOptions): Contract {
  const { market, lies, nowMs, ownKey } = options;
  const { gpuMicroUsd } = market.view(ask, false, 0);
  const offered = bid ?? gpuMicroUsd;
  const percent = BigInt(100 + (lies.tell('dearer')?.percent ?? 0));
  const other = lies.tell('other-machine') !== null;
  const hostEnds = lies.tell('host-ends');
  const keysLost = lies.tell('key-lost-after');
  const offline = lies.tell('offline');
  const broken = lies.tell('never-runs') !== null;
  const base: Contract = {
    id: market.nextContract(),
    ask,
    label: order.label ?? null,
    image: order.image ?? 'vastai/base-image:@vastai-automatic-tag',
    runtype: order.runtype,
    env: envOf(order.env ?? {}),
    onstart: order.onstart ?? null,
    diskGb: order.disk,
    isBid: bid !== null,
    gpuMicroUsd: (offered * percent) / 100n,
    diskMicroUsd: (ask.machine.perGbHourMicroUsd * BigInt(Math.round(order.disk * 1000))) / 1000n,
    createdAtMs: nowMs,
    endedAtMs: null,
    runs: broken ? [] : firstRuns(options),
    stop: null,
    offlineFromMs: offline === null ? null : nowMs + offline.afterMs,
    hostEndsAtMs: hostEnds === null ? null : nowMs + hostEnds.afterMs,
    keysLostAtMs: keysLost === null ? null : nowMs + keysLost.afterMs,
    brokenWords: broken
      ? 'Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process'
      : null,
    word: lies.tell('status')?.word ?? null,
    showsLabel: lies.tell('no-label') === null,
    hiddenUntilMs: nowMs + (lies.tell('hidden')?.ms ?? 0),
    slowDestroyMs: lies.tell('slow-destroy')?.ms ?? 0,
    destroyFailures: lies.tell('destroy-fails')?.tries ?? 0,
    gotGpus: other && ask.gpus.length > 1 ? ask.gpus.length - 1 : ask.gpus.length,
    gotGpuName: other && ask.gpus.length === 1 ? 'GTX 1070' : ask.machine.gpu.name,
    ownKey,
  };
  const outbid = base.isBid ? lies.tell('outbid') : null;
  return outbid === null ? base : stopped(base, { by: 'bid', atMs: nowMs + outbid.afterMs });
}

/** When its container runs, as far as that is known at the purchase. */
function firstRuns({ lies, nowMs, bootMs }: PurchaseOptions): readonly Run[] {
  if (bootMs === null) {
    return [];
  }
  const fromMs = nowMs + bootMs + (lies.tell('slow-boot')?.ms ?? 0);
  const restart = lies.tell('restart');
  const againMs = nowMs + (restart?.afterMs ?? 0);
  return restart === null || againMs <= fromMs
    ? [{ fromMs, untilMs: null }]
    : [
        { fromMs, untilMs: againMs },
        { fromMs: againMs + RESTART_MS, untilMs: null },
      ];
}

/** An object (`vastai` 1.9.1, `parse_env`), or flags of docker (`create_instance.yaml`). */
function envOf(env: Readonly<Record<string, string>> | string): Readonly<Record<string, string>> {
  if (typeof env !== 'string') {
    return env;
  }
  const values: Record<string, string> = {};
  for (const [, flag, value = ''] of env.matchAll(/(-e|-p)\s+(\S+)/g)) {
    const [name = '', ...rest] = value.split('=');
    values[flag === '-p' ? `-p ${value}` : name] = flag === '-p' ? '1' : rest.join('=');
  }
  return values;
}
