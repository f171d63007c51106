/** What of io.net's answers is used, read tolerantly: fields come and go, and lists come with their envelope or without. */
import * as z from 'zod';
import { dollarsSchema } from '../http/dollars.ts';

const text = z.string().nullish().catch(null);
/** Some numbers come as texts. */
const amount = z
  .union([z.number(), z.string().transform(Number).pipe(z.number())])
  .nullish()
  .catch(null);
const idSchema = z.union([z.string().min(1), z.number().transform(String)]);

/** What an envelope holds; what comes without one. */
const inside = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess(
    value => (typeof value === 'object' && value !== null && 'data' in value ? value.data : value),
    schema,
  );

/** A moment without a zone is one of UTC. */
const moment = z
  .string()
  .transform(said => {
    const at = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/i.test(said) ? said : `${said.replace(' ', 'T')}Z`);
    return Number.isNaN(at) ? null : at;
  })
  .nullish()
  .catch(null);

const minutes = {
  compute_minutes_served: amount,
  compute_minutes_remaining: amount,
};

const rowSchema = z.object({ id: idSchema, status: z.string(), name: text, ...minutes });
/** A row of the list: it has the name, and not what was paid. */
export type Row = z.output<typeof rowSchema>;

/** A page of the list: rows that cannot be read make all of it unreadable, since a part of a list is none. */
export const pageSchema = inside(
  z.union([
    z.array(rowSchema).transform(deployments => ({ deployments, total: null })),
    z.object({ deployments: z.array(rowSchema), total: amount }),
  ]),
);

export const detailsSchema = inside(
  z.object({
    id: idSchema,
    status: z.string(),
    name: text,
    ...minutes,
    created_at: moment,
    finished_at: moment,
    amount_paid: dollarsSchema.nullish().catch(null),
    hardware_name: text,
    total_gpus: amount,
    gpus_per_vm: amount,
    gpus_per_container: amount,
  }),
);
/** The details: they have what was paid, and not the name. */
export type Details = z.output<typeof detailsSchema>;

/** Of a virtual machine the first of the two, of a container the other. */
const workerSchema = z.object({ ssh_access: text, public_url: text });
const workerList = z.array(workerSchema);
/** Under each of the names by which its client finds them (`_parse_workers` of `vms.py`, `_parse_containers` of `deployments.py`). */
export const workersSchema = inside(
  z.union([
    workerList,
    z.object({ workers: workerList }).transform(({ workers }) => workers),
    z.object({ vms: workerList }).transform(({ vms }) => vms),
    z.object({ containers: workerList }).transform(({ containers }) => containers),
  ]),
);

/** The answer to an order: an id under one of three names, or nothing at all. */
export const orderedSchema = inside(
  z.unknown().transform((value): string | null => {
    const read = z
      .object({
        deployment_id: idSchema.optional(),
        id: idSchema.optional(),
        resource_id: idSchema.optional(),
      })
      .safeParse(value);
    return read.success ? (read.data.deployment_id ?? read.data.id ?? read.data.resource_id ?? null) : null;
  }),
);

/** What a time costs, all in. */
export const quoteSchema = inside(
  z.object({
    total_cost_usdc: dollarsSchema,
    available_replica_count: z.array(z.number()).nullish().catch(null),
  }),
);

const refusalSchema = z.union([
  z.object({ status: z.literal('failed'), error: z.unknown() }).transform(({ error }) => error),
  z.object({ detail: z.unknown() }).transform(({ detail }) => detail),
  z.object({ error: z.string() }).transform(({ error }) => error),
  z.object({ message: z.string() }).transform(({ message }) => message),
]);

const issueSchema = z.object({ loc: z.array(z.union([z.string(), z.number()])).optional(), msg: z.string() });

/** A refusal's own words, in any of the ways in which it writes them; null: none that are known. */
export function refusalWords(body: unknown): string | null {
  const read = refusalSchema.safeParse(body);
  if (!read.success) {
    return null;
  }
  const said = read.data;
  if (typeof said === 'string') {
    return said;
  }
  const issues = z.array(issueSchema).safeParse(said);
  return issues.success
    ? issues.data.map(({ loc = [], msg }) => `${loc.join('.')}: ${msg}`).join('; ')
    : JSON.stringify(said);
}
