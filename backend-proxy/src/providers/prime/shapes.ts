/**
 * What is read of Prime Intellect's answers; the rest may be anything. Source: the models of the network's own client (`prime`
 * 0.18.0 on PyPI: `api/availability.py`, `api/pods.py`, `api/wallet.py`, `commands/whoami.py`), and for keys those of its
 * repository (`prime_cli/api/ssh_keys.py`).
 */
import * as z from 'zod';
import { dollarsSchema, signedDollarsSchema } from '../http/dollars.ts';

/** What may be left out, or be null: null then. */
const maybe = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform(value => value ?? null);
/** The same; null too where it is not what was expected, so that one odd word about a machine fails no list. */
const said = <Schema extends z.ZodType>(schema: Schema) => maybe(schema).catch(null);

/** What is sold with a machine in steps: its disk, its processors, its memory. */
const resourceSchema = z.looseObject({
  minCount: said(z.number().min(0)),
  defaultCount: said(z.number().min(0)),
  maxCount: said(z.number().min(0)),
  /** $ an hour for one; read as it is written, since less than a micro-dollar counts. */
  pricePerUnit: said(z.number().min(0)),
  step: said(z.number()),
  defaultIncludedInPrice: said(z.boolean()),
});
export type Resource = z.output<typeof resourceSchema>;

export const availabilitySchema = z.looseObject({
  cloudId: z.string().min(1),
  gpuType: z.string().min(1),
  socket: maybe(z.string()),
  provider: maybe(z.string()),
  dataCenter: maybe(z.string()),
  country: said(z.string()),
  region: said(z.string()),
  gpuCount: z.number().int().min(0),
  /** GB of one GPU. */
  gpuMemory: z.number().min(0),
  disk: resourceSchema,
  vcpu: resourceSchema,
  memory: resourceSchema,
  internetSpeed: said(z.number()),
  stockStatus: z.string(),
  security: maybe(z.string()),
  prices: z.looseObject({
    onDemand: maybe(z.number().min(0)),
    communityPrice: maybe(z.number().min(0)),
    isVariable: said(z.boolean()),
    currency: maybe(z.string()),
  }),
  images: maybe(z.array(z.string())),
  isSpot: maybe(z.boolean()),
  /** Hours that are paid ahead. */
  prepaidTime: maybe(z.number().min(0)),
});
export type Availability = z.output<typeof availabilitySchema>;

export const availabilityPageSchema = z.looseObject({
  items: z.array(z.unknown()),
  totalCount: z.number().int().min(0),
});

/** Its times are ISO; those without a zone are UTC. */
const moment = z.iso
  .datetime({ offset: true, local: true })
  .transform(text => Date.parse(/(z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`));

/** One place, a list with one for each machine, or `[null]` (`clean_connection_fields`). */
const places = said(z.union([z.string().transform(text => [text]), z.array(z.string().nullable())]));

export const podSchema = z.looseObject({
  id: z.string().min(1),
  name: maybe(z.string()),
  gpuName: said(z.string()),
  gpuCount: said(z.number().int()),
  status: z.string(),
  createdAt: said(moment),
  installationStatus: said(z.string()),
  installationFailure: said(z.string()),
  installationProgress: said(z.number()),
  sshConnection: places,
  /** $ an hour, all in. */
  priceHr: said(dollarsSchema),
  isSpot: said(z.boolean()),
});
export type Pod = z.output<typeof podSchema>;

export const podPageSchema = z.looseObject({
  total_count: z.number().int().min(0),
  data: z.array(podSchema),
});

export const pastPodSchema = z.looseObject({
  id: z.string().min(1),
  name: maybe(z.string()),
  createdAt: said(moment),
  terminatedAt: said(moment),
  priceHr: said(dollarsSchema),
  totalBilledPrice: said(signedDollarsSchema),
});
export type PastPod = z.output<typeof pastPodSchema>;

export const historyPageSchema = z.looseObject({
  total_count: z.number().int().min(0),
  data: z.array(pastPodSchema),
});

export const keySchema = z.looseObject({
  id: z.string().min(1),
  name: z.string(),
  publicKey: said(z.string()),
});

export const keyPageSchema = z.looseObject({
  totalCount: z.number().int().min(0),
  data: z.array(keySchema),
});

export const whoamiSchema = z.looseObject({
  data: z.looseObject({
    id: z.string().min(1),
    email: said(z.string()),
    name: said(z.string()),
    scope: said(
      z.record(z.string(), z.looseObject({ read: said(z.boolean()), write: said(z.boolean()) }).nullable()),
    ),
  }),
});

export const walletSchema = z.looseObject({ balance_usd: said(signedDollarsSchema) });

/** Of a refusal: a text, or what is wrong with each field. */
export const refusalSchema = z.looseObject({
  detail: z.union([z.string(), z.array(z.looseObject({ msg: z.string().optional() }))]).optional(),
  message: z.string().optional(),
  error: z.string().optional(),
});
