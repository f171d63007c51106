/**
 * What the console takes, by the schemas of its `apps/api/swagger/openapi.json`. A field that they do not know is refused of Hitch;
 * the real one passes over it.
 */
import * as z from 'zod';
import type { SimRequest } from '../frame/simulator.ts';

const dseq = z.string().regex(/^\d+$/);

export const createSchema = z.strictObject({
  data: z.strictObject({ sdl: z.string(), deposit: z.number().optional() }),
});

export const leaseSchema = z.strictObject({
  manifest: z.string(),
  leases: z.array(z.strictObject({ dseq, gseq: z.number(), oseq: z.number(), provider: z.string() })).min(1),
});

/** Parameters that each route knows. */
const QUERIES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^GET \/v1\/deployments$/, ['skip', 'limit']],
  [/^GET \/v1\/bids$/, ['dseq']],
  [/^GET \/v1\/wallets$/, ['userId']],
  [/^GET \/v1\/addresses\//, ['status', 'reverseSorting']],
];

/** Whether our own adapter asks. */
export const isHitch = ({ headers }: Pick<SimRequest, 'headers'>): boolean =>
  headers['user-agent'] === 'hitch';

/** Parameters of a query that nobody knows. */
export function oddQuery({ method, path, query }: SimRequest): readonly string[] {
  const known = QUERIES.find(([route]) => route.test(`${method} ${path}`))?.[1] ?? [];
  return [...query.keys()].filter(name => !known.includes(name));
}

/** What is wrong with a body; of others than Hitch a field too many is not. */
export function readBody<Schema extends z.ZodType>(
  schema: Schema,
  { body }: Pick<SimRequest, 'body'>,
): { readonly value: z.output<Schema> } | { readonly problems: readonly string[] } {
  const read = schema.safeParse(body);
  return read.success
    ? { value: read.data }
    : { problems: read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) };
}
