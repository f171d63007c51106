/**
 * What of RunPod's answers is used: REST v2 (schemas `GpuType`, `Pod`, `Cluster`, `PodBillingRecord` of its published
 * OpenAPI 2.0.0), and the one query of its GraphQL that says what is left.
 */
import * as z from 'zod';
import { dollarsSchema } from '../http/dollars.ts';

/** What may be left out, or be null: null then. */
const maybe = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform(value => value ?? null);

/** The same; null too where it is not what was expected, so that one odd word about a machine fails no list. */
const said = <Schema extends z.ZodType>(schema: Schema) => maybe(schema).catch(null);

const availabilitySchema = z.string().optional();

/** Dollars an hour; what is above is a mistake and no price. */
const hourly = z.number().min(0).max(100_000);

/** A row by itself: one that is odd keeps no other from being offered. */
export const gpuTypeSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  /** GB of one GPU. */
  memory: z.number().min(0),
  secure: z.boolean(),
  community: z.boolean(),
  /** Of one GPU an hour. */
  price: z.looseObject({ secure: maybe(hourly), community: maybe(hourly) }),
  maxCount: z.looseObject({ secure: maybe(z.number()), community: maybe(z.number()) }),
  availability: availabilitySchema,
  dataCenters: z.array(z.looseObject({ id: z.string(), availability: availabilitySchema })).optional(),
  cudaVersions: z.array(z.looseObject({ version: z.string().optional() })).optional(),
});
export type GpuType = z.output<typeof gpuTypeSchema>;

export const namedSchema = z.looseObject({ id: z.string() });

export const gpuTypesSchema = z.looseObject({ gpus: z.array(z.unknown()) });

const moment = z.iso.datetime({ offset: true, local: true }).transform(text => {
  // Some of its times carry no zone: they are UTC.
  return Date.parse(/(z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`);
});

export const podSchema = z.looseObject({
  id: z.string(),
  name: maybe(z.string()),
  status: z.string(),
  gpu: said(z.looseObject({ id: z.string(), count: z.number().int() })),
  cloud: said(z.string()),
  /** GB of the container's disk. */
  disk: said(z.number().min(0)),
  ssh: said(
    z.looseObject({
      direct: maybe(z.looseObject({ host: z.string(), port: z.number().int(), username: z.string() })),
    }),
  ),
  /** Of the whole pod an hour; 0 once it is stopped. */
  cost: said(dollarsSchema),
  runtime: said(z.looseObject({})),
  cluster: maybe(z.looseObject({ id: z.string(), rank: said(z.number().int()), ip: said(z.string()) })),
  createdAt: said(moment),
});
export type Pod = z.output<typeof podSchema>;

export const podsSchema = z.looseObject({ pods: z.array(podSchema) });

export const clusterSchema = z.looseObject({
  id: z.string(),
  name: maybe(z.string()),
  createdAt: said(moment),
});
export type Cluster = z.output<typeof clusterSchema>;

export const clustersSchema = z.looseObject({ clusters: z.array(clusterSchema) });

export const billingSchema = z.looseObject({
  records: z.array(
    z.looseObject({
      podId: maybe(z.string()),
      clusterId: maybe(z.string()),
      totalAmount: dollarsSchema,
      gpuAmount: maybe(dollarsSchema),
      cpuAmount: maybe(dollarsSchema),
      diskAmount: maybe(dollarsSchema),
    }),
  ),
});
export type BillingRecord = z.output<typeof billingSchema>['records'][number];

export const graphqlErrorSchema = z.looseObject({ message: z.string() });

/** Its GraphQL answers 200 with `errors` where it refuses. */
export const myselfSchema = z.looseObject({
  data: maybe(
    z.looseObject({
      myself: maybe(
        z.looseObject({
          id: z.string(),
          email: maybe(z.string()),
          clientBalance: maybe(z.number()),
          spendLimit: maybe(z.number()),
        }),
      ),
    }),
  ),
  errors: z.array(graphqlErrorSchema).optional(),
});

/** RFC 9457, as all its refusals are written. */
export const problemSchema = z.looseObject({
  title: z.string().optional(),
  detail: z.string().optional(),
  errors: z.array(z.unknown()).optional(),
});
