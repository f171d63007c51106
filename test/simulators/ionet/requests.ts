/**
 * What the simulated io.net understands, in words of our own. To a field that it does not know it says 422, as io.net does
 * (`_Request` of `iocloud/types.py`: its server forbids what is extra); names in a query that it does not know it passes
 * over, and holds them against Hitch.
 */
import * as z from 'zod';

const hours = z.number().int().min(1).max(8760);
const service = z.strictObject({
  port: z.number().int().min(1).max(65_535),
  protocol: z.enum(['tcp', 'udp']),
  whitelist: z.array(z.string()).min(1),
});
const hardwareId = z.union([z.string(), z.number().int()]);

/** `VmDeployRequest`. */
export const deploySchema = z.strictObject({
  resource_private_name: z.string().min(1),
  duration_hours: hours,
  gpus_per_vm: z.number().int().min(1).max(8),
  hardware_id: hardwareId,
  ssh_keys: z.record(z.string(), z.string()).nullish(),
  github_ids: z.array(z.string()).nullish(),
  location_ids: z
    .array(z.union([z.string(), z.number().int()]))
    .length(1)
    .nullish(),
  node_pool_id: z.string().nullish(),
  vm_image_type: z.enum(['general', 'datascience']).default('general'),
  network_services: z.record(z.string(), service).nullish(),
});
export type DeployRequest = z.output<typeof deploySchema>;

export const extendSchema = z.strictObject({ duration_hours: hours });

const whole = z.coerce.number().int();

/** `location_ids` is a list written as JSON in one value (`encode_location_ids` of `iocloud/resources/pricing.py`). */
const listSchema = z.string().transform((text, context): readonly string[] => {
  try {
    return z.array(z.union([z.string(), z.number()]).transform(String)).parse(JSON.parse(text));
  } catch {
    context.addIssue({ code: 'custom', message: 'Input should be a JSON list' });
    return z.NEVER;
  }
});

export const priceQuerySchema = z.object({
  location_ids: listSchema,
  hardware_id: z.string(),
  currency: z.enum(['usdc', 'iocoin']),
  duration_hours: whole.pipe(hours),
  gpus_per_vm: whole.pipe(z.number().min(1)),
  replica_count: whole.pipe(z.number().min(1)),
});

/** @param firstPage where this server begins to count. */
export const listQuerySchema = (firstPage: 0 | 1) =>
  z.object({
    status: z.string().optional(),
    page: whole.pipe(z.number().min(firstPage)).default(firstPage),
    page_size: whole.pipe(z.number().min(1).max(100)).default(10),
  });

/** Names in the query of each kind of call. */
export const QUERY_NAMES = {
  hardware: ['gpu', 'regions', 'supplier'],
  price: Object.keys(priceQuerySchema.shape),
  deployments: ['status', 'page', 'page_size'],
  vms: ['page', 'page_size'],
  none: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** As FastAPI says what is wrong with a request. */
export const issuesOf = (error: z.ZodError, where: 'body' | 'query'): readonly object[] =>
  error.issues.flatMap(issue => {
    const at = [where, ...issue.path];
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map(key => ({
          loc: [...at, key],
          msg: 'Extra inputs are not permitted',
          type: 'extra_forbidden',
        }))
      : [{ loc: at, msg: issue.message, type: 'value_error' }];
  });
