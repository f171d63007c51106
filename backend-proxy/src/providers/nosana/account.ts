/**
 * What stands on an account at Nosana, whoever made it: Hitch makes nothing there. Source: `GET /api/deployments` and
 * `GET /api/credits/balance`, by the schema that `@nosana/api` 2.1.8 carries (`dist/client/schema.d.ts`).
 */
import type { MicroUsd } from '@hitch/contract';
import * as z from 'zod';
import { dollarsSchema } from '../http/dollars.ts';
import type { AccountSaid, Instance, InstanceStatus } from '../provider.ts';

const deploymentSchema = z.object({
  id: z.string().min(1),
  name: z.string().nullish(),
  market: z.string(),
  status: z.string(),
  replicas: z.number().int().min(0).catch(1),
  created_at: z.string().nullish(),
});
type Deployment = z.output<typeof deploymentSchema>;

export const deploymentsSchema = z.object({
  deployments: z.array(deploymentSchema),
  pagination: z.object({ cursor_next: z.string().nullish() }),
});

export const balanceSchema = z.object({
  assignedCredits: dollarsSchema,
  reservedCredits: dollarsSchema,
  settledCredits: dollarsSchema,
});

/** A credit is a dollar. What is reserved for jobs that run is not there to be spent. */
export function accountOf({
  assignedCredits: assigned,
  reservedCredits: reserved,
  settledCredits: settled,
}: z.output<typeof balanceSchema>): AccountSaid {
  return {
    id: null,
    name: '',
    scopes: null,
    balanceMicroUsd: assigned - reserved - settled,
    spendLimitPerHourMicroUsd: null,
  };
}

/** Words of a deployment that holds no machine: it is a description, which stays until somebody deletes it. */
const HOLDS_NONE = new Set(['DRAFT', 'STOPPED', 'ARCHIVED']);
export const holdsMachines = ({ status }: Deployment): boolean => !HOLDS_NONE.has(status);

const STATUSES: Readonly<Record<string, InstanceStatus>> = {
  STARTING: 'booting',
  RUNNING: 'running',
  STOPPING: 'running',
  ERROR: 'stopped',
  INSUFFICIENT_FUNDS: 'stopped',
};

/** @param prices of one replica an hour, by market; what is of none of them has no price that is known */
export function instanceOf(
  { id, name, market, status: word, replicas, created_at: created }: Deployment,
  prices: ReadonlyMap<string, MicroUsd>,
): Instance {
  const status = STATUSES[word] ?? 'unknown';
  const each = prices.get(market);
  const fromMs = Date.parse(created ?? '');
  return {
    id,
    mark: name ?? null,
    status,
    members: [],
    rates:
      each === undefined || status === 'stopped'
        ? []
        : [
            {
              label: 'GPU',
              perHourMicroUsd: each * BigInt(replicas),
              fromMs: Number.isNaN(fromMs) ? null : fromMs,
            },
          ],
    message: `Nosana says ${word}.`,
  };
}
