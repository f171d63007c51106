/**
 * What of the answers of Akash's console is used, read tolerantly. Source: `apps/api/swagger/openapi.json` of
 * akash-network/console; paths are named at each.
 */
import * as z from 'zod';
import { signedDollarsSchema } from '../http/dollars.ts';
import { coinSchema } from './block-price.ts';

/** What the envelope holds. */
const inside = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess(
    value => (typeof value === 'object' && value !== null && 'data' in value ? value.data : undefined),
    schema,
  );

/** Digits: a moment (ms since the epoch) where the console made it (`DeploymentWriterService.create`). */
const dseqSchema = z.string().regex(/^[0-9]{1,20}$/);
/** A height of the chain; 0: not yet. */
const heightSchema = z.coerce.number().int().min(0).nullish().catch(null);

/** What names a lease, and a bid. */
const placeSchema = z.object({
  dseq: dseqSchema,
  gseq: z.number(),
  oseq: z.number(),
  provider: z.string().min(1),
});
export type Place = z.output<typeof placeSchema>;

const forwardedSchema = z.object({
  port: z.number(),
  externalPort: z.number().int().min(1).max(65_535),
  host: z.string().min(1).nullish(),
});

/** What a lease's provider says of it; null where it was not reached, or knows of nothing that it is to run. */
const leaseStatusSchema = z.object({
  forwarded_ports: z.record(z.string(), z.array(forwardedSchema)).nullish().catch(null),
  services: z
    .record(z.string(), z.object({ ready_replicas: z.number().catch(0) }))
    .nullish()
    .catch(null),
});

const leaseSchema = z.object({
  id: placeSchema,
  state: z.string(),
  price: coinSchema,
  created_at: heightSchema,
  closed_on: heightSchema,
  reason: z.string().nullish().catch(null),
  /** Not in the list. */
  status: leaseStatusSchema.nullish().catch(null),
});
export type Lease = z.output<typeof leaseSchema>;

const deploymentSchema = z.object({
  deployment: z.object({
    id: z.object({ owner: z.string(), dseq: dseqSchema }),
    state: z.string(),
    hash: z.string(),
    created_at: heightSchema,
  }),
  leases: z.array(leaseSchema),
  escrow_account: z.object({
    state: z.object({
      transferred: z.array(coinSchema).catch([]),
      funds: z.array(coinSchema).catch([]),
      /** Up to which height `transferred` is: the chain reckons when something is paid in or out, and at the end. */
      settled_at: heightSchema,
    }),
  }),
});
export type Deployment = z.output<typeof deploymentSchema>;

/** `GET /v1/deployments/{dseq}`, and the answer to `POST /v1/leases`. */
export const deploymentAnswer = inside(deploymentSchema);

/** `GET /v1/deployments`: a row that cannot be read makes all of it unreadable, since a part of a list is none. */
export const deploymentsAnswer = inside(
  z.object({
    deployments: z.array(deploymentSchema),
    /** Null where its index cannot count (`#countDeployments` of `deployment-reader.service.ts`). */
    pagination: z.object({ total: z.number().nullish(), hasMore: z.boolean() }),
  }),
);

/** `POST /v1/deployments`. */
export const createdAnswer = inside(
  z.object({
    dseq: dseqSchema,
    manifest: z.string(),
    signTx: z.object({ code: z.number(), rawLog: z.string().catch('') }),
  }),
);

const bidSchema = z.object({
  bid: z.object({ id: placeSchema, state: z.string(), price: coinSchema }),
});
/** `GET /v1/bids`: a bid that cannot be read is none. */
export const bidsAnswer = inside(z.array(z.unknown())).transform(rows =>
  rows.flatMap(row => {
    const read = bidSchema.safeParse(row);
    return read.success ? [read.data.bid] : [];
  }),
);
export type Bid = z.output<typeof bidsAnswer>[number];

/** `GET /v1/providers/{address}`. */
export const hostAnswer = z.object({
  isAudited: z.boolean().nullish().catch(null),
  /** Share of the last seven days, 0 … 1. */
  uptime7d: z.number().nullish().catch(null),
});

/** `GET /v1/user/me`. */
export const userAnswer = inside(
  z.object({
    id: z.string().min(1),
    username: z.string().nullish().catch(null),
    email: z.string().nullish().catch(null),
  }),
);

/** `GET /v1/balances`, in dollars. */
export const balancesAnswer = inside(z.object({ balance: signedDollarsSchema }));

/** `GET /v1/wallets`. */
export const walletsAnswer = inside(z.array(z.object({ address: z.string().min(1) })));

/** `GET /v1/addresses/{address}/deployments/{skip}/{limit}`. */
export const historyAnswer = z.object({
  count: z.number(),
  results: z.array(z.object({ dseq: dseqSchema })),
});

/** Its refusals: `HonoErrorHandlerService`. */
export const refusalSchema = z.object({ message: z.string(), code: z.string().optional().catch(undefined) });
