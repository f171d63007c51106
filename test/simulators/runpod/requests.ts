/**
 * What RunPod's REST v2 takes, by the request schemas of its published OpenAPI 2.0.0 (`CreatePodRequest`,
 * `CreateClusterRequest`, both with `unevaluatedProperties: false`). What Hitch sends is held against these as they are;
 * other clients send more (dstack's `entrypoint` and `cmd`), and are heard.
 */
import * as z from 'zod';
import type { SimRequest } from '../frame/simulator.ts';

const port = z.string().regex(/^\d+\/(?:tcp|http)$/);

const container = {
  name: z.string().min(1),
  image: z.string().min(1),
  args: z.string().optional(),
  disk: z.number().int().min(1).optional(),
  env: z.record(z.string(), z.string()).optional(),
  ports: z.array(port).optional(),
  dataCenterIds: z.array(z.string()).optional(),
  startSsh: z.boolean().optional(),
  startJupyter: z.boolean().optional(),
};

export const createPodSchema = z.strictObject({
  ...container,
  cloud: z.enum(['SECURE', 'COMMUNITY']).optional(),
  gpu: z.strictObject({
    id: z.string(),
    count: z.number().int().min(1).optional(),
    minCudaVersion: z.string().optional(),
    allowedCudaVersions: z.array(z.string()).optional(),
  }),
  mounts: z.looseObject({}).optional(),
  globalNetworking: z.boolean().optional(),
});

export const createClusterSchema = z.strictObject({
  ...container,
  type: z.enum(['APPLICATION', 'TRAINING', 'SLURM', 'RAY']),
  compute: z.strictObject({
    gpuTypeId: z.string(),
    gpuCountPerPod: z.number().int().min(1),
    podCount: z.number().int().min(2).max(250),
  }),
  mounts: z.looseObject({}).optional(),
});

/** A field that it does not know is refused (422) of Hitch, and let pass of others. */
export function readBody<Schema extends z.ZodObject>(
  schema: Schema,
  body: unknown,
  isStrict: boolean,
): { readonly value: z.output<Schema> } | { readonly problems: readonly string[] } {
  const read = schema.safeParse(body);
  if (read.success) {
    return { value: read.data };
  }
  const unknown = read.error.issues.flatMap(issue => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  if (!isStrict && unknown.length > 0 && typeof body === 'object' && body !== null) {
    const known = Object.fromEntries(Object.entries(body).filter(([name]) => !unknown.includes(name)));
    return readBody(schema, known, true);
  }
  return { problems: read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) };
}

/** Whether our own adapter asks. */
export const isHitch = (headers: SimRequest['headers']): boolean => headers['user-agent'] === 'hitch';
