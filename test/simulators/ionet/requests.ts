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

/** `DeployRequest`, `ContainerConfig` and `RegistryConfig`: one place or a pool of one's own, never both. */
export const deployContainerSchema = z.strictObject({
  resource_private_name: z.string().min(1),
  duration_hours: hours,
  gpus_per_container: z.number().int().min(1),
  hardware_id: hardwareId,
  location_ids: z
    .array(z.union([z.string(), z.number().int()]))
    .length(1)
    .nullish(),
  node_pool_id: z.string().nullish(),
  resource_id: z.string().nullish(),
  payment_source: z.enum(['credits', 'payment']).default('credits'),
  on_incomplete_booking: z.enum(['full_refund', 'partial_refund', 'extend_booked']).default('full_refund'),
  container_config: z.strictObject({
    replica_count: z.number().int().min(1),
    traffic_port: z.number().int().min(1).max(65_535),
    env_variables: z.record(z.string(), z.string()).default({}),
    secret_env_variables: z.record(z.string(), z.string()).default({}),
    entrypoint: z.array(z.string()).nullish(),
    args: z.array(z.string()).nullish(),
    command: z.string().nullish(),
    public_ingress_enabled: z.boolean().nullish(),
    tls_required: z.boolean().nullish(),
  }),
  registry_config: z.strictObject({
    image_url: z.string().min(1),
    registry_username: z.string().nullish(),
    registry_secret: z.string().nullish(),
  }),
});

/** What a container runs, and with what. */
export interface ContainerOrder {
  readonly image: string;
  readonly entrypoint: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly secretEnvironment: Readonly<Record<string, string>>;
  readonly port: number;
}

/** An order of either. */
export interface Order {
  readonly name: string;
  readonly hours: number;
  readonly hardwareId: string;
  readonly gpus: number;
  /** Undefined: wherever there is one. */
  readonly location: string | undefined;
  readonly sshKeys: Readonly<Record<string, string>>;
  readonly githubIds: readonly string[];
  /** Null: it is a virtual machine. */
  readonly container: ContainerOrder | null;
}

export const orderOfMachine = (order: z.output<typeof deploySchema>): Order => ({
  name: order.resource_private_name,
  hours: order.duration_hours,
  hardwareId: String(order.hardware_id),
  gpus: order.gpus_per_vm,
  location: order.location_ids?.[0]?.toString(),
  sshKeys: order.ssh_keys ?? {},
  githubIds: order.github_ids ?? [],
  container: null,
});

export const orderOfContainer = (order: z.output<typeof deployContainerSchema>): Order => {
  const { container_config: config, registry_config: registry } = order;
  return {
    name: order.resource_private_name,
    hours: order.duration_hours,
    hardwareId: String(order.hardware_id),
    gpus: order.gpus_per_container,
    location: order.location_ids?.[0]?.toString(),
    sshKeys: {},
    githubIds: [],
    container: {
      image: registry.image_url,
      entrypoint: config.entrypoint ?? [],
      environment: config.env_variables,
      secretEnvironment: config.secret_env_variables,
      port: config.traffic_port,
    },
  };
};

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

/** `_params` of `iocloud/resources/pricing.py`. */
export const containerPriceQuerySchema = z.object({
  location_ids: listSchema,
  hardware_id: z.string(),
  duration_hours: whole.pipe(hours),
  gpus_per_container: whole.pipe(z.number().min(1)),
  replica_count: whole.pipe(z.number().min(1)),
});

const listQueryFrom = (firstPage: 0 | 1) =>
  z.object({
    status: z.string().optional(),
    page: whole.pipe(z.number().min(firstPage)).default(firstPage),
    page_size: whole.pipe(z.number().min(1).max(100)).default(10),
  });

/** By the page with which a server begins to count. */
export const LIST_QUERIES = { 0: listQueryFrom(0), 1: listQueryFrom(1) } as const;

/** Names in the query of each kind of call. */
export const QUERY_NAMES = {
  deployments: ['status', 'page', 'page_size'],
  workers: ['page', 'page_size'],
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
