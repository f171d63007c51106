/**
 * What Hitch asks Akash to run, and its two forms: the SDL, which a deployment is ordered with, and the manifest, which the
 * provider of a lease runs. The chain keeps the SHA-256 of the manifest, so that a deployment is found by what it is made of.
 * Sources: `go/sdl/sdl-input.schema.yaml`, `ts/src/sdl/manifest/generateManifest.ts` and `generateManifestVersion.ts` of
 * akash-network/chain-sdk.
 */
import { createHash } from 'node:crypto';

/** One container. */
export interface Workload {
  readonly image: string;
  /** Null: the image's own. */
  readonly command: readonly string[] | null;
  readonly args: readonly string[] | null;
  /** Such as `NAME=value`, in the order that they are set in. */
  readonly env: readonly string[] | null;
  /** Thousandths of a core. */
  readonly cpuMillis: number;
  readonly memoryMiB: number;
  readonly diskMiB: number;
  readonly gpu: WorkloadGpu | null;
  /** Ports that the world reaches. */
  readonly ports: readonly WorkloadPort[];
}

export interface WorkloadGpu {
  readonly count: number;
  /** Such as `nvidia`. */
  readonly vendor: string;
  /** Such as `a100`. */
  readonly model: string;
  /** Such as `80Gi`; null: any. */
  readonly ram: string | null;
  /** `pcie` or `sxm`; null: any. */
  readonly socket: string | null;
}

export interface WorkloadPort {
  readonly port: number;
  /** The port that is asked for outside; null: any. 80 is reached by HTTP and a name alone. */
  readonly as: number | null;
  readonly proto: 'TCP' | 'UDP';
}

/** How the parts of an SDL are named that need a name. */
export interface Names {
  readonly service: string;
  readonly placement: string;
}

/** The one service, and the one place where it runs. */
export const NAMES: Names = { service: 'node', placement: 'hitch' };

/**
 * The SDL as JSON of plain characters, which is YAML too: of the others YAML takes some for line breaks, and refuses some.
 * @param mostPerBlock the most that a block may cost, in uact
 */
export function sdlOf(workload: Workload, mostPerBlock: bigint, names: Names = NAMES): string {
  const { service, placement } = names;
  const { image, command, args, env, ports } = workload;
  const sdl = JSON.stringify({
    version: '2.0',
    services: {
      [service]: {
        image,
        ...(command === null ? {} : { command }),
        ...(args === null ? {} : { args }),
        ...(env === null ? {} : { env }),
        expose: ports.map(({ port, as, proto }) => ({
          port,
          ...(as === null ? {} : { as }),
          proto: proto.toLowerCase(),
          to: [{ global: true }],
        })),
      },
    },
    profiles: {
      compute: { [service]: { resources: resourcesAsked(workload) } },
      placement: {
        [placement]: { pricing: { [service]: { denom: 'uact', amount: mostPerBlock.toString() } } },
      },
    },
    deployment: { [service]: { [placement]: { profile: service, count: 1 } } },
  });
  return sdl.replace(/[^\x20-\x7e]/g, odd => `\\u${odd.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A size without a unit is refused: `parseSizeString` of `ts/src/sdl/sizes.ts`. */
function resourcesAsked({ cpuMillis, memoryMiB, diskMiB, gpu }: Workload): object {
  return {
    cpu: { units: `${cpuMillis.toString()}m` },
    memory: { size: `${memoryMiB.toString()}Mi` },
    storage: [{ size: `${diskMiB.toString()}Mi` }],
    ...(gpu === null
      ? {}
      : { gpu: { units: gpu.count, attributes: { vendor: { [gpu.vendor]: [modelAsked(gpu)] } } } }),
  };
}

const modelAsked = ({ model, ram, socket }: WorkloadGpu): object => ({
  model,
  ...(ram === null ? {} : { ram }),
  ...(socket === null ? {} : { interface: socket }),
});

/** The manifest, in the order of keys and with the escapes that its hash is taken of. */
export function manifestOf(workload: Workload, names: Names = NAMES): string {
  const { image, command, args, env, ports } = workload;
  const service = {
    name: names.service,
    image,
    command: orNull(command),
    args: orNull(args),
    env: orNull(env),
    resources: resourcesGiven(workload),
    count: 1,
    expose: ports.toSorted((a, b) => a.port - b.port || order(a.proto, b.proto)).map(exposed),
    credentials: null,
  };
  return sortedJson([{ name: names.placement, services: [service] }]);
}

/** An empty list is written as Go writes one that is not there. */
const orNull = (list: readonly string[] | null): readonly string[] | null =>
  list === null || list.length === 0 ? null : list;

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const bytesOf = (mebibytes: number): { readonly val: string } => ({
  val: (BigInt(mebibytes) * 1_048_576n).toString(),
});

function resourcesGiven({ cpuMillis, memoryMiB, diskMiB, gpu, ports }: Workload): object {
  const kinds = ports.map(kindOf).toSorted((a, b) => a - b);
  return {
    id: 1,
    cpu: { units: { val: cpuMillis.toString() } },
    memory: { size: bytesOf(memoryMiB) },
    storage: [{ name: 'default', size: bytesOf(diskMiB) }],
    gpu: {
      units: { val: (gpu?.count ?? 0).toString() },
      ...(gpu === null ? {} : { attributes: [{ key: gpuKey(gpu), value: 'true' }] }),
    },
    endpoints: kinds.map(kind => ({ ...(kind === 0 ? {} : { kind }), sequence_number: 0 })),
  };
}

/** 0 is reached by HTTP through the provider's door, 1 by a port of its own. */
const kindOf = ({ port, as, proto }: WorkloadPort): 0 | 1 => (proto === 'TCP' && (as ?? port) === 80 ? 0 : 1);

const gpuKey = ({ vendor, model, ram, socket }: WorkloadGpu): string =>
  [
    `vendor/${vendor}/model/${model}`,
    ...(ram === null ? [] : [`ram/${ram}`]),
    ...(socket === null ? [] : [`interface/${socket}`]),
  ].join('/');

/** The limits of HTTP are written for every port, whether it speaks HTTP or not: `buildHttpOptions`. */
const exposed = ({ port, as, proto }: WorkloadPort): object => ({
  port,
  externalPort: as ?? 0,
  proto,
  service: '',
  global: true,
  hosts: null,
  httpOptions: {
    maxBodySize: 1_048_576,
    readTimeout: 60_000,
    sendTimeout: 60_000,
    nextTries: 3,
    nextTimeout: 0,
    nextCases: ['error', 'timeout'],
  },
  ip: '',
  endpointSequenceNumber: 0,
});

/** JSON with the keys of each object in order, and with what HTML knows escaped, as Go writes it. */
export function sortedJson(value: unknown): string {
  const sorted = JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => order(a, b)))
      : one,
  );
  return sorted.replace(/[<>&]/g, found => `\\u00${found.charCodeAt(0).toString(16)}`);
}

/** What the chain knows a manifest by, in hex. */
export const hashOf = (manifest: string): string => createHash('sha256').update(manifest).digest('hex');

/** The chain's answers write a hash in base64 (`ensureDeploymentIsUpToDate` of its console); null: it is no hash. */
export function hashIn(answer: string): string | null {
  const bytes = Buffer.from(answer, 'base64');
  return bytes.byteLength === 32 ? bytes.toString('hex') : null;
}
