/** `GET /api/v0/charges/`: what was billed between two moments, a row for each contract (`show_charges.yaml`). */
import type { SimAnswer, SimRequest } from '../frame/simulator.ts';
import type { MicroUsd } from '@hitch/contract';
import { type Contract, billedUntil, endOf } from './contracts.ts';
import { refusal } from './purchase.ts';
import { dollars } from './rows.ts';
import { jsonOf } from './schemas.ts';
import * as z from 'zod';

const filtersSchema = z.looseObject({
  day: z.looseObject({ gte: z.number(), lte: z.number() }),
  type: z.looseObject({ in: z.array(z.string()) }).optional(),
});

const DEFAULT_PAGE = 100;
const LARGEST_PAGE = 500;

export function charges(contracts: readonly Contract[], { query }: SimRequest, nowMs: number): SimAnswer {
  const filters = filtersSchema.safeParse(jsonOf(query.get('select_filters') ?? ''));
  if (!filters.success) {
    return {
      status: 400,
      body: { success: false, msg: "Must provide both 'day' gte and lte filters for instance charges" },
    };
  }
  const place = placeOf(query.get('after_token'));
  if (place === null) {
    return refusal(400, 'invalid_token', 'Invalid pagination token');
  }
  const { day, type } = filters.data;
  const wanted = type === undefined || type.in.includes('instance');
  const rows = wanted
    ? contracts.flatMap(contract => chargeOf(contract, day.gte * 1000, day.lte * 1000, nowMs))
    : [];
  const sorted = query.get('latest_first') === 'false' ? rows : rows.toReversed();
  const limit = Math.min(LARGEST_PAGE, Number(query.get('limit') ?? DEFAULT_PAGE));
  const page = sorted.slice(place, place + limit);
  const next = place + page.length;
  return {
    status: 200,
    body: {
      success: true,
      count: page.length,
      total: rows.length,
      next_token: next < sorted.length ? Buffer.from(JSON.stringify({ at: next })).toString('base64') : null,
      results: page,
    },
  };
}

function chargeOf(contract: Contract, fromMs: number, toMs: number, nowMs: number) {
  const untilMs = Math.min(toMs, nowMs);
  if (contract.createdAtMs > untilMs || (endOf(contract, nowMs) ?? Infinity) < fromMs) {
    return [];
  }
  const [before, after] = [billedUntil(contract, fromMs), billedUntil(contract, untilMs)];
  const gpu = after.gpu - before.gpu;
  const disk = after.disk - before.disk;
  const times = {
    start: Math.floor(Math.max(fromMs, contract.createdAtMs) / 1000),
    end: Math.floor(Math.min(untilMs, endOf(contract, nowMs) ?? untilMs) / 1000),
  };
  const item = (type: 'gpu' | 'disk', amount: MicroUsd, perHour: MicroUsd) => ({
    ...times,
    type,
    source: null,
    description: `${(Number(amount) / Math.max(1, Number(perHour))).toFixed(3)} hours at $${dollars(perHour).toString()}/hour`,
    amount: dollars(amount),
    metadata: {},
    items: [],
  });
  return [
    {
      ...times,
      type: 'instance',
      source: `instance-${contract.id.toString()}`,
      description: `Instance ${contract.id.toString()} Charges`,
      // Of the whole it is rounded to three decimals; the parts are not.
      amount: Math.round(Number(gpu + disk) / 1000) / 1000,
      // A key only where there is a value.
      metadata: contract.label === null ? {} : { label: contract.label },
      items: [item('gpu', gpu, contract.gpuMicroUsd), item('disk', disk, contract.diskMicroUsd)],
    },
  ];
}

function placeOf(token: string | null): number | null {
  if (token === null) {
    return 0;
  }
  const read = jsonOf(Buffer.from(token, 'base64').toString('utf8'));
  return typeof read === 'object' && read !== null && 'at' in read && typeof read.at === 'number'
    ? read.at
    : null;
}
