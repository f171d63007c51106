/**
 * What our own adapter may send, written down strictly: a field too much, a wrong unit or a missing slash fails the test.
 * Other clients (user agents) are taken as the real network takes them, which passes over what it does not know.
 */
import * as z from 'zod';
import type { SimRequest } from '../frame/simulator.ts';
import type { Route, RouteName } from './routes.ts';

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const filter = z
  .strictObject({
    eq: scalar,
    neq: scalar,
    gt: z.number(),
    gte: z.number(),
    lt: z.number(),
    lte: z.number(),
    in: z.array(scalar),
    notin: z.array(scalar),
  })
  .partial();

/** Columns that a search can be narrowed by (`search_offers.yaml`; `datacenter`, `hosting_type`: its command line). */
const SEARCHABLE = [
  'verified',
  'verification',
  'rentable',
  'rented',
  'external',
  'datacenter',
  'hosting_type',
  'gpu_name',
  'gpu_arch',
  'num_gpus',
  'gpu_ram',
  'gpu_total_ram',
  'gpu_frac',
  'reliability',
  'reliability2',
  'duration',
  'machine_id',
  'host_id',
  'id',
  'cluster_id',
  'dph_total',
  'dph_base',
  'min_bid',
  'geolocation',
  'cuda_max_good',
  'compute_cap',
  'driver_version',
  'cpu_arch',
  'cpu_ram',
  'cpu_cores_effective',
  'disk_space',
  'disk_bw',
  'inet_down',
  'inet_up',
  'inet_down_cost',
  'inet_up_cost',
  'direct_port_count',
  'static_ip',
  'storage_cost',
  'bw_nvlink',
  'vms_enabled',
] as const;

const searchSchema = z.strictObject({
  ...Object.fromEntries(SEARCHABLE.map(column => [column, filter.optional()])),
  type: z.enum(['on-demand', 'ondemand', 'bid', 'reserved']).optional(),
  order: z.array(z.tuple([z.string(), z.enum(['asc', 'desc'])])).optional(),
  limit: z.int().min(1).optional(),
  allocated_storage: z.number().min(0).optional(),
  disable_bundling: z.boolean().optional(),
});

const LONGEST_START = 4048;
const LONGEST_ENVIRONMENT = 32_768;

/** `create_instance.yaml`, with `x-input-validation`; the fields that `vastai` 1.9.1 sends (`build_create_instance_payload`). */
const createSchema = z.strictObject({
  client_id: z.literal('me').optional(),
  image: z.string().min(1).max(1024),
  env: z
    .record(z.string().min(1).max(256), z.string())
    .refine(env => JSON.stringify(env).length <= LONGEST_ENVIRONMENT, 'longer than Vast takes')
    .optional(),
  price: z.number().min(0.001).max(128).nullish(),
  disk: z.number().min(8),
  label: z.string().min(1).max(256),
  onstart: z.string().max(LONGEST_START).nullish(),
  runtype: z.enum(['ssh', 'ssh_proxy', 'ssh_direct', 'ssh_direc', 'ssh_direc ssh_proxy', 'args']).optional(),
  args: z.array(z.string()).optional(),
  cancel_unavail: z.boolean().optional(),
  target_state: z.enum(['running', 'stopped']).optional(),
  force: z.literal(false).optional(),
});

const publicKey = z.string().regex(/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp256) [A-Za-z0-9+/=]+( [^\n]*)?$/);
const json = <Schema extends z.ZodType>(schema: Schema) =>
  z.string().transform((text, context): z.output<Schema> => {
    const read = schema.safeParse(jsonOf(text));
    if (!read.success) {
      context.addIssue({ code: 'custom', message: z.prettifyError(read.error) });
      return z.NEVER;
    }
    return read.data;
  });
const wholeNumber = (highest: number) =>
  z
    .string()
    .regex(/^[0-9]+$/)
    .transform(Number)
    .pipe(z.int().min(1).max(highest));

const nothing = z.undefined();
const emptyBody = z.union([z.undefined(), z.strictObject({})]);
const noQuery = z.strictObject({});
const ownerQuery = z.strictObject({ owner: z.literal('me').optional() });

interface Asked {
  readonly body: z.ZodType;
  readonly query: z.ZodType;
}

const OURS: Readonly<Partial<Record<RouteName, Asked>>> = {
  search: {
    body: z.union([searchSchema, z.strictObject({ select_cols: z.array(z.string()), q: searchSchema })]),
    query: noQuery,
  },
  create: { body: createSchema, query: noQuery },
  get: { body: nothing, query: ownerQuery },
  list: {
    body: nothing,
    query: z.strictObject({
      limit: wholeNumber(25).optional(),
      after_token: z.string().min(1).optional(),
      select_filters: json(z.record(z.string(), filter)).optional(),
      select_cols: json(z.array(z.string())).optional(),
      order_by: json(z.array(z.strictObject({ col: z.string(), dir: z.enum(['asc', 'desc']) }))).optional(),
    }),
  },
  manage: {
    body: z.union([
      z.strictObject({ state: z.enum(['stopped', 'running']) }),
      z.strictObject({ label: z.string().max(1024) }),
    ]),
    query: noQuery,
  },
  reboot: { body: emptyBody, query: noQuery },
  destroy: { body: emptyBody, query: noQuery },
  'change-bid': {
    body: z.strictObject({ client_id: z.literal('me'), price: z.number().min(0.001) }),
    query: noQuery,
  },
  'attach-key': { body: z.strictObject({ ssh_key: publicKey }), query: noQuery },
  keys: { body: nothing, query: noQuery },
  'detach-key': { body: emptyBody, query: noQuery },
  'account-keys': { body: nothing, query: noQuery },
  'add-account-key': { body: z.strictObject({ ssh_key: publicKey }), query: noQuery },
  'remove-account-key': { body: emptyBody, query: noQuery },
  charges: {
    body: nothing,
    query: z.strictObject({
      select_filters: json(
        z.strictObject({
          // Both are needed (`show_charges.yaml`); whole seconds.
          day: z.strictObject({ gte: z.int(), lte: z.int() }),
          type: z.strictObject({ in: z.array(z.enum(['instance', 'volume', 'serverless'])) }).optional(),
        }),
      ),
      format: z.enum(['table', 'tree']).optional(),
      latest_first: z.enum(['true', 'false']).optional(),
      limit: wholeNumber(500).optional(),
      after_token: z.string().min(1).optional(),
    }),
  },
  user: { body: nothing, query: noQuery },
};

/** Headers that our client sends; a transport may add what HTTP needs. */
const KNOWN_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'host',
  'transfer-encoding',
  'user-agent',
]);

export const isOurs = ({ headers }: SimRequest): boolean => headers['user-agent'] === 'hitch';

/** What of a request of ours is wrong, a sentence; null: nothing. */
export function wrongOf(request: SimRequest, route: Route | null): string | null {
  const asked = `${request.method} ${request.path}`;
  const rules = route === null ? undefined : OURS[route.name];
  if (rules === undefined) {
    return `${asked}: no call that Hitch makes, or not one of Vast (is the slash at its end there?)`;
  }
  const unknown = Object.keys(request.headers).filter(name => !KNOWN_HEADERS.has(name));
  if (unknown.length > 0) {
    return `${asked}: headers that nobody knows: ${unknown.join(', ')}`;
  }
  const query = rules.query.safeParse(Object.fromEntries(request.query));
  const body = rules.body.safeParse(request.body);
  const problem = query.error ?? body.error;
  return problem === undefined ? null : `${asked}: ${z.prettifyError(problem)}`;
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
