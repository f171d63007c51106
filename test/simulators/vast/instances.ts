/** What Vast answers of contracts: one by itself, and lists of 25. */
import type { SimAnswer, SimRequest } from '../frame/simulator.ts';
import { type Contract, isOver } from './contracts.ts';
import { type Filters, type Order, fits, ordered } from './filters.ts';
import type { Lies } from './lies.ts';
import type { VastMarket } from './market.ts';
import { refusal } from './purchase.ts';
import type { Row } from './rows.ts';
import { jsonOf } from './schemas.ts';

/** The most of one page, whatever is asked for (`show_instances.yaml`; fewer than 1 counts as 5). */
const PAGE = 25;
const NOT_POSITIVE = 5;

/** Columns that stand in the contract itself; the rest is computed and cannot be filtered by (`show_instances.yaml`). */
const COMPUTED: ReadonlySet<string> = new Set([
  'dph_total',
  'dph_base',
  'num_gpus',
  'duration',
  'search',
  'instance',
  'gpu_totalram',
]);

/** Those that are there, and shown. */
export const shownContracts = (market: VastMarket, nowMs: number): readonly Contract[] =>
  market.contracts().filter(contract => !isOver(contract, nowMs) && contract.hiddenUntilMs <= nowMs);

/**
 * `GET /api/v1/instances/`: pages by the last row of the one before (`next_token`), so that nothing is shown twice.
 * @param rows all that could be shown
 */
export function listPage(rows: readonly Row[], { query }: SimRequest, lies: Lies): SimAnswer {
  const filters = objectOf(query.get('select_filters'));
  const computed = Object.keys(filters).filter(column => COMPUTED.has(column));
  if (computed.length > 0) {
    return refusal(400, 'invalid_request', `Cannot filter by ${computed.join(', ')}.`);
  }
  const orders = ordersOf(query.get('order_by'));
  const token = query.get('after_token');
  const last = token === null ? null : tokenRow(token);
  if (last === undefined) {
    return refusal(400, 'invalid_token', 'Invalid pagination token');
  }
  const matching = ordered(
    rows.filter(row => fits(row, filters)),
    orders,
  );
  const after = last === null ? matching : matching.slice(placeAfter(matching, last, orders));
  // A row that moved to the page before, while this one was asked for, is on neither.
  const rest = last !== null && after.length > 0 && lies.tell('page-shift') !== null ? after.slice(1) : after;
  const page = rest.slice(0, sizeOf(query.get('limit')));
  const end = page.at(-1);
  const hasMore = rest.length > page.length && end !== undefined;
  return {
    status: 200,
    body: {
      success: true,
      instances_found: page.length,
      total_instances: matching.length,
      label_counts: labelCounts(matching),
      next_token: hasMore ? tokenOf(end, orders) : null,
      instances: page.map(row => chosen(row, query.get('select_cols'))),
    },
  };
}

/** The list that is not to be used any more: it has one page (dstack moved off it, pull request 4031). */
export const oldList = (rows: readonly Row[]): SimAnswer => ({
  status: 200,
  body: { success: true, instances_found: Math.min(rows.length, PAGE), instances: rows.slice(0, PAGE) },
});

/** What a list can be narrowed by (`vastai` 1.9.1, `show_instance_filters`). */
export const filterValues = (rows: readonly Row[]): SimAnswer => ({
  status: 200,
  body: {
    filters: rows.map(({ actual_status, gpu_name, verification, label }) => ({
      actual_status,
      gpu_name,
      verification,
      label,
    })),
  },
});

const sizeOf = (limit: string | null): number => {
  const wanted = limit === null ? PAGE : Number(limit);
  return wanted >= 1 ? Math.min(Math.floor(wanted), PAGE) : NOT_POSITIVE;
};

function ordersOf(text: string | null): readonly Order[] {
  const read = text === null ? undefined : jsonOf(text);
  const orders = (Array.isArray(read) ? read : []).flatMap((one: unknown) =>
    typeof one === 'object' && one !== null && 'col' in one && typeof one.col === 'string'
      ? [{ column: one.col, descending: 'dir' in one && one.dir === 'desc' }]
      : [],
  );
  return orders.some(({ column }) => column === 'id')
    ? orders
    : [...orders, { column: 'id', descending: false }];
}

const tokenOf = (row: Row, orders: readonly Order[]): string =>
  Buffer.from(
    JSON.stringify({ values: Object.fromEntries(orders.map(({ column }) => [column, row[column] ?? null])) }),
  ).toString('base64');

function tokenRow(token: string): Row | undefined {
  const read = jsonOf(Buffer.from(token, 'base64').toString('utf8'));
  const values: unknown =
    typeof read === 'object' && read !== null && 'values' in read ? read.values : undefined;
  return typeof values === 'object' && values !== null
    ? Object.fromEntries(Object.entries(values))
    : undefined;
}

/** The first place behind that row, which may be gone by now. */
function placeAfter(rows: readonly Row[], last: Row, orders: readonly Order[]): number {
  const place = rows.findIndex(row => ordered([row, last], orders)[0] === last);
  return place < 0 ? rows.length : place;
}

function labelCounts(rows: readonly Row[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { label } of rows) {
    const name = typeof label === 'string' ? label : '';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function chosen(row: Row, columns: string | null): Row {
  const read = columns === null ? undefined : jsonOf(columns);
  const names = Array.isArray(read) ? read.filter(name => typeof name === 'string') : ['*'];
  return names.includes('*') ? row : Object.fromEntries(names.map(name => [name, row[name] ?? null]));
}

function objectOf(text: string | null): Filters {
  const read = text === null ? undefined : jsonOf(text);
  return typeof read === 'object' && read !== null ? Object.fromEntries(Object.entries(read)) : {};
}
