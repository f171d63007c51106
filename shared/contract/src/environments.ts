/** Environments of a cluster's own: a lock, the file it was made from, and what people added on the machines. */
import * as z from 'zod';
import { engineKindSchema } from './engine-kind.ts';
import { clusterIdSchema } from './ids.ts';
import { MOST_SAID, saidAmount, saidMoment, saidName, saidSentence } from './said.ts';

/** A lock is for one of these; `this-computer` in a request means the one that the daemon runs on. */
export const environmentPlatformSchema = z.enum([
  'linux-x86_64',
  'linux-aarch64',
  'macos-x86_64',
  'macos-aarch64',
  'windows-x86_64',
]);
export type EnvironmentPlatform = z.infer<typeof environmentPlatformSchema>;

/** Such as `3.12`. */
export const pythonVersionSchema = z
  .string()
  .regex(
    /^3\.(?:1[0-4])$/,
    'must be a Python that Ray and Jupyter exist for: 3.10, 3.11, 3.12, 3.13 or 3.14',
  );

export const environmentIdSchema = z.string().regex(/^[0-9a-f]{16}$/, 'is not the id of an environment');

/** A file as the client read it: its name decides how it is read, its text what goes into the lock. */
export const environmentFileSchema = z.object({
  name: z.string().min(1).max(255),
  text: z.string().max(2_000_000, 'is larger than 2 MB'),
});
export type EnvironmentFile = z.infer<typeof environmentFileSchema>;

/** Files of this computer that name packages: lists of them, and programs that say theirs (PEP 723). */
export const foundEnvironmentsSchema = z.object({
  files: z.array(
    z.object({
      /** Absolute; what `environments.lock` takes as `path`. */
      path: z.string(),
      name: z.string(),
    }),
  ),
  /** What was not looked into, a sentence each. */
  notes: z.array(z.string()),
});
export type FoundEnvironments = z.infer<typeof foundEnvironmentsSchema>;

export const environmentRequestSchema = z.object({
  /** What to lock; left out: what the cluster has, with `add`. */
  file: environmentFileSchema.optional(),
  /** A file of the daemon's computer in its place: absolute, and from a page inside the folder that its server shows. */
  path: z.string().min(1).max(4096).optional(),
  /** More requirements, such as `einops>=0.8`. */
  add: z.array(z.string().min(1).max(500)).max(100).default([]),
  /** Null: what the file asks for, else the cluster's, else 3.12. */
  python: pythonVersionSchema.nullable().default(null),
  /** The cluster that it is for; its engine and its machines' platform count. */
  clusterId: clusterIdSchema.optional(),
  engine: engineKindSchema.default('single'),
  platform: z.union([environmentPlatformSchema, z.literal('this-computer')]).default('linux-x86_64'),
});
export type EnvironmentRequest = z.input<typeof environmentRequestSchema>;

export const environmentProblemSchema = z.object({
  file: z.string(),
  /** Null: of the file as a whole. */
  line: z.number().int().nullable(),
  message: z.string(),
});
export type EnvironmentProblem = z.infer<typeof environmentProblemSchema>;

export const lockedEnvironmentSchema = z.object({
  id: environmentIdSchema,
  /** The file that it was made from. */
  file: z.string(),
  python: pythonVersionSchema,
  platform: environmentPlatformSchema,
  /** What its packages bring for GPUs: `cpu`, `cuda12`, `cuda13`. */
  accelerator: z.string(),
  packages: z.array(z.object({ name: z.string(), version: z.string() })),
  /** What Hitch added to what was asked for, such as `ipykernel`. */
  added: z.array(z.string()),
  /** What of the file does not count, a sentence each. */
  leftOut: z.array(z.string()),
  /** The Ray in it; null: none. */
  ray: z.string().nullable(),
});
export type LockedEnvironment = z.infer<typeof lockedEnvironmentSchema>;

/** Either the lock, or everything that is wrong with the file. */
export const lockResultSchema = z.object({
  environment: lockedEnvironmentSchema.nullable(),
  problems: z.array(environmentProblemSchema),
});
export type LockResult = z.infer<typeof lockResultSchema>;

/**
 * A machine says what was installed on it, and another one is told to install that again: what is no name or version, such as an
 * option of pip, is none. Source: https://packaging.python.org/en/latest/specifications/name-normalization/ and version-specifiers/.
 */
export const packageNameSchema = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/, 'must be the name of a package');
export const packageVersionSchema = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9.!+_-]*[A-Za-z0-9])?$/, 'must be the version of a package');
const exactPackageSchema = z.string().refine(text => {
  const [name, version, ...more] = text.split('==');
  return (
    more.length === 0 &&
    packageNameSchema.safeParse(name).success &&
    packageVersionSchema.safeParse(version).success
  );
}, 'must be name==version');

/** A package that somebody installed on a machine by hand, beside its lock. */
export const addedPackageSchema = z.object({
  name: packageNameSchema,
  version: packageVersionSchema,
  atMs: saidMoment,
});
export type AddedPackage = z.infer<typeof addedPackageSchema>;

/** What an agent says of the environment that it gives to kernels, shells and Ray. */
export const nodeEnvironmentSchema = z.object({
  /** Counts the changes of the cluster's environment; 0: as it was rented. */
  generation: saidAmount.int(),
  /** Where programs find it: `VIRTUAL_ENV`. */
  folder: saidName,
  added: z.array(addedPackageSchema).max(MOST_SAID.packages),
  /** Kernels that run since before the last change, and keep what they had until they are restarted. */
  oldKernels: z.array(saidName).max(MOST_SAID.kernels),
  /** Why it is not as it was asked for; '' where it is. */
  problem: saidSentence,
});
export type NodeEnvironmentSaid = z.infer<typeof nodeEnvironmentSchema>;

/** What an agent is told: which Python people's programs run on. */
export const agentEnvironmentSchema = z.object({
  /** Null: Hitch's own packages. */
  id: z.string().nullable(),
  /** The interpreter of the environment, absolute, on the node. */
  python: z.string(),
  generation: z.number().int(),
  /** `name==version` of what was added by hand earlier and is to be there again. */
  add: z.array(exactPackageSchema).default([]),
});
export type AgentEnvironment = z.infer<typeof agentEnvironmentSchema>;

export const clusterEnvironmentSchema = z.object({
  /** Null: Hitch's own packages. */
  id: environmentIdSchema.nullable(),
  /** The file that it was made from; '' for Hitch's own. */
  file: z.string(),
  python: z.string(),
  packages: z.number().int(),
  /** By hand, on which node. */
  added: z.array(addedPackageSchema.extend({ node: z.number().int() })),
  /** Kernels that keep what they had until they are restarted. */
  oldKernels: z.array(z.string()),
  /** A change that goes on; null: none. */
  change: z
    .object({
      /** To what; null: Hitch's own packages. */
      id: environmentIdSchema.nullable(),
      file: z.string(),
      message: z.string(),
      sinceMs: z.number(),
      /** What each machine does for it, by its index; left out by a daemon that does not say it. */
      nodes: z.array(z.object({ node: z.number().int(), message: z.string() })).default([]),
    })
    .nullable(),
  /** Why the last change came to nothing, or something is not as asked for; null: all is well. */
  problem: z.string().nullable(),
});
export type ClusterEnvironment = z.infer<typeof clusterEnvironmentSchema>;
