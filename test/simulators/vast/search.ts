/** `POST /api/v0/bundles/` and `PUT /api/v0/search/asks/`: what can be rented now. */
import * as z from 'zod';
import type { SimAnswer } from '../frame/simulator.ts';
import { type Filters, type Order, fits, ordered } from './filters.ts';
import type { Lies } from './lies.ts';
import type { Ask } from './machines.ts';
import type { VastMarket } from './market.ts';
import { askFilters, askRow } from './rows.ts';

const querySchema = z.looseObject({
  type: z.string().default('on-demand'),
  limit: z.number().optional(),
  order: z.array(z.tuple([z.string(), z.string()])).default([['score', 'desc']]),
  allocated_storage: z.number().default(8),
  disable_bundling: z.boolean().default(false),
});
const bodySchema = z.union([z.looseObject({ q: querySchema }).transform(({ q }) => q), querySchema]);

/** Without a limit the answer is short: who wants all says how many (gpuhunt, `VastAIProvider.get`, asks for 3000). */
const DEFAULT_LIMIT = 64;

/** What counts where a search does not say otherwise (`search_offers.yaml`). */
const DEFAULTS: Filters = { verified: { eq: true }, rentable: { eq: true }, rented: { eq: false } };
const NO_FILTERS: ReadonlySet<string> = new Set([
  'type',
  'limit',
  'order',
  'allocated_storage',
  'disable_bundling',
]);

export function search(market: VastMarket, body: unknown, lies: Lies, nowMs: number): SimAnswer {
  const read = bodySchema.safeParse(body ?? {});
  if (!read.success) {
    return {
      status: 400,
      body: { success: false, error: 'invalid_args', msg: z.prettifyError(read.error) },
    };
  }
  const { type, limit = DEFAULT_LIMIT, order, allocated_storage, disable_bundling } = read.data;
  const filters = {
    ...DEFAULTS,
    ...Object.fromEntries(Object.entries(read.data).filter(([name]) => !NO_FILTERS.has(name))),
  };
  const ignored = lies.tell('ignore-filters') !== null;
  const rows = offered(market, disable_bundling).flatMap(ask => {
    const row = askRow(ask, market.view(ask, type === 'bid', allocated_storage), nowMs);
    return ignored || fits({ ...row, ...askFilters(ask) }, filters) ? [row] : [];
  });
  return { status: 200, body: { offers: ordered(rows, order.map(orderOf)).slice(0, limit) } };
}

const orderOf = ([column, direction]: readonly [string, string]): Order => ({
  column,
  descending: direction === 'desc',
});

/** Of a machine's equal parts one is shown, unless all of them are asked for (`disable_bundling`). */
function offered(market: VastMarket, all: boolean): readonly Ask[] {
  const shown = new Set<string>();
  return [...market.asks()].filter(ask => {
    const part = `${ask.machine.machineId.toString()}:${ask.gpus.length.toString()}`;
    if (!market.isFree(ask) || (!all && shown.has(part))) {
      return false;
    }
    shown.add(part);
    return true;
  });
}
