/**
 * What the simulated Akash reads of an SDL, and the manifest that it makes of one: of all that the published fixtures of 2.0 show
 * but leased addresses. What it does not know it refuses. Sources: `go/sdl/sdl-input.schema.yaml`,
 * `ts/src/sdl/manifest/generateManifest.ts`, `manifestUtils.ts`, `sizes.ts` of akash-network/chain-sdk, and the fixtures beside
 * this file. Written apart from the adapter's code, so that the two hold each other.
 */
import { parse } from 'yaml';
import * as z from 'zod';

const sizeSchema = z.string().regex(/^[0-9.]+[KMGTPE]i?$/i, 'is no size with a unit');
const volumeSchema = z.strictObject({
  name: z.string().optional(),
  size: sizeSchema,
  attributes: z
    .strictObject({
      class: z.string().optional(),
      persistent: z.union([z.boolean(), z.string()]).optional(),
    })
    .optional(),
});
type Volume = z.output<typeof volumeSchema>;

const gpuSchema = z.strictObject({
  units: z.union([z.number().int(), z.string().regex(/^\d+$/).transform(Number)]),
  attributes: z
    .strictObject({
      vendor: z.partialRecord(
        z.enum(['nvidia']),
        z.array(
          z.strictObject({
            model: z.string(),
            ram: z.string().optional(),
            interface: z.enum(['pcie', 'sxm']).optional(),
          }),
        ),
      ),
    })
    .partial()
    .optional(),
});

const resourcesSchema = z.strictObject({
  cpu: z.strictObject({
    units: z.union([z.number().positive(), z.string().regex(/^[0-9]+(?:\.[0-9]+)?m?$/)]),
  }),
  memory: z.strictObject({ size: sizeSchema }),
  storage: z.union([volumeSchema, z.array(volumeSchema).min(1)]),
  gpu: gpuSchema.optional(),
});

const httpSchema = z.strictObject({
  max_body_size: z.number().int().max(104_857_600).optional(),
  read_timeout: z.number().int().max(60_000).optional(),
  send_timeout: z.number().int().max(60_000).optional(),
  next_tries: z.number().int().optional(),
  next_timeout: z.number().int().optional(),
  next_cases: z.array(z.string()).optional(),
});

const exposeSchema = z.strictObject({
  port: z.number().int().min(1).max(65_535),
  as: z.number().int().min(1).max(65_535).optional(),
  proto: z.enum(['tcp', 'udp']).optional(),
  accept: z.array(z.string()).optional(),
  to: z.array(z.strictObject({ global: z.boolean().optional(), service: z.string().optional() })),
  http_options: httpSchema.optional(),
});
type Expose = z.output<typeof exposeSchema>;

const serviceSchema = z.strictObject({
  image: z.string().min(1),
  command: z.array(z.string()).nullish(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.string()).nullish(),
  dependencies: z.array(z.strictObject({ service: z.string() })).optional(),
  expose: z.array(exposeSchema).optional(),
  params: z
    .strictObject({
      storage: z.record(
        z.string(),
        z.strictObject({ mount: z.string().optional(), readOnly: z.boolean().optional() }),
      ),
    })
    .optional(),
});
type Service = z.output<typeof serviceSchema>;

const amountSchema = z.union([
  z.number().min(0),
  z
    .string()
    .regex(/^[0-9]+(?:\.[0-9]+)?$/)
    .transform(Number),
]);

const sdlSchema = z.strictObject({
  version: z.enum(['2.0', '2.1']),
  services: z.record(z.string(), serviceSchema),
  profiles: z.strictObject({
    compute: z.record(z.string(), z.strictObject({ resources: resourcesSchema })),
    placement: z.record(
      z.string(),
      z.strictObject({
        attributes: z.record(z.string(), z.unknown()).optional(),
        signedBy: z
          .strictObject({ anyOf: z.array(z.string()).optional(), allOf: z.array(z.string()).optional() })
          .optional(),
        pricing: z.record(
          z.string(),
          z.strictObject({ denom: z.enum(['uakt', 'uact']), amount: amountSchema }),
        ),
      }),
    ),
  }),
  deployment: z.record(
    z.string(),
    z.record(z.string(), z.strictObject({ profile: z.string(), count: z.number().int().min(1) })),
  ),
});
export type Sdl = z.output<typeof sdlSchema>;

/** @returns what is wrong with it, in words, or what it says */
export function readSdl(text: string): { readonly sdl: Sdl } | { readonly problem: string } {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  const read = sdlSchema.safeParse(value);
  return read.success
    ? { sdl: read.data }
    : { problem: read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join(', ') };
}

type Compute = Sdl['profiles']['compute'][string];

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The manifest, with its keys in their order, as the chain's hash is taken of it. */
export function manifestText(sdl: Sdl): string {
  const places = [...new Set(Object.values(sdl.deployment).flatMap(Object.keys))].sort(byText);
  const groups = places.map(name => ({ name, services: servicesAt(sdl, name) }));
  return inOrder(groups).replaceAll('&', '\\u0026').replaceAll('<', '\\u003c').replaceAll('>', '\\u003e');
}

function servicesAt(sdl: Sdl, place: string): readonly unknown[] {
  const here = Object.entries(sdl.deployment)
    .flatMap(([name, places]) => {
      const at = places[place];
      return at === undefined ? [] : [{ name, ...at }];
    })
    .sort((a, b) => byText(a.name, b.name));
  // What several services share of a profile is one unit of resources.
  const profiles = [...new Set(here.map(({ profile }) => profile))];
  return here.flatMap(({ name, profile, count }) => {
    const [service, compute] = [sdl.services[name], sdl.profiles.compute[profile]];
    return service === undefined || compute === undefined
      ? []
      : [serviceMade({ name, count, id: profiles.indexOf(profile) + 1 }, service, compute)];
  });
}

function serviceMade(
  { name, count, id }: { readonly name: string; readonly count: number; readonly id: number },
  { image, command, args, env, expose = [], params }: Service,
  { resources }: Compute,
): unknown {
  const filled = (list: readonly string[] | null | undefined) => ((list ?? []).length === 0 ? null : list);
  return {
    name,
    count,
    image,
    command: filled(command),
    args: filled(args),
    env: filled(env),
    credentials: null,
    resources: {
      id,
      cpu: { units: { val: millisOf(resources.cpu.units).toString() } },
      memory: { size: { val: bytesOf(resources.memory.size) } },
      storage: [resources.storage].flat().map(volumeMade),
      gpu: gpuMade(resources.gpu),
      endpoints: expose.flatMap(endpointsOf).sort((a, b) => (a.kind ?? 0) - (b.kind ?? 0)),
    },
    expose: expose.flatMap(exposesOf).sort((a, b) => byText(a.service, b.service) || a.port - b.port),
    ...(params === undefined ? {} : { params: { storage: mountsOf(params.storage) } }),
  };
}

const millisOf = (units: number | string): number =>
  typeof units === 'number'
    ? units * 1000
    : units.endsWith('m')
      ? Number(units.slice(0, -1))
      : Number(units) * 1000;

function bytesOf(size: string): string {
  const [, number = '', unit = '', binary] = /^([0-9.]+)([a-z])(i?)$/i.exec(size) ?? [];
  const power = 'kmgtpe'.indexOf(unit.toLowerCase()) + 1;
  return Math.ceil(Number(number) * (binary === 'i' ? 1024 : 1000) ** power).toString();
}

function volumeMade({ name = 'default', size, attributes }: Volume): unknown {
  const pairs = Object.entries(attributes ?? {}).map(([key, value]) => ({ key, value: String(value) }));
  return {
    name,
    size: { val: bytesOf(size) },
    ...(pairs.length === 0 ? {} : { attributes: pairs.sort((a, b) => byText(a.key, b.key)) }),
  };
}

function gpuMade(gpu: z.output<typeof gpuSchema> | undefined): unknown {
  const models = Object.entries(gpu?.attributes?.vendor ?? {}).flatMap(([vendor, all]) =>
    all.map(({ model, ram, interface: socket }) =>
      [
        'vendor',
        vendor,
        'model',
        model,
        ...(ram === undefined ? [] : ['ram', ram]),
        ...(socket === undefined ? [] : ['interface', socket]),
      ].join('/'),
    ),
  );
  const attributes = models.map(key => ({ key, value: 'true' }));
  return {
    units: { val: (gpu?.units ?? 0).toString() },
    ...(attributes.length === 0 ? {} : { attributes }),
  };
}

function endpointsOf({ port, as, proto = 'tcp', to }: Expose): { kind?: number; sequence_number: number }[] {
  const isHttp = proto === 'tcp' && (as ?? port) === 80;
  return to
    .filter(({ global }) => global === true)
    .map(() => ({ ...(isHttp ? {} : { kind: 1 }), sequence_number: 0 }));
}

function exposesOf({ port, as, proto = 'tcp', accept = [], to, http_options: http = {} }: Expose) {
  return to.map(({ global = false, service = '' }) => ({
    port,
    externalPort: as ?? 0,
    proto: proto.toUpperCase(),
    service,
    global,
    hosts: accept.length === 0 ? null : accept,
    httpOptions: {
      maxBodySize: http.max_body_size ?? 1_048_576,
      readTimeout: http.read_timeout ?? 60_000,
      sendTimeout: http.send_timeout ?? 60_000,
      nextTries: http.next_tries ?? 3,
      nextTimeout: http.next_timeout ?? 0,
      nextCases: http.next_cases ?? ['error', 'timeout'],
    },
    ip: '',
    endpointSequenceNumber: 0,
  }));
}

const mountsOf = (storage: NonNullable<Service['params']>['storage']): readonly unknown[] =>
  Object.entries(storage)
    .sort(([a], [b]) => byText(a, b))
    .map(([name, { mount = '', readOnly = false }]) => ({ name, mount, readOnly }));

/** JSON in which the keys of every object stand in their order. */
function inOrder(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(inOrder).join(',')}]`;
  }
  if (typeof value !== 'object' || value === null) {
    return JSON.stringify(value);
  }
  const entries = Object.entries(value).sort(([a], [b]) => byText(a, b));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${inOrder(one)}`).join(',')}}`;
}
