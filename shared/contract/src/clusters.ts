/** Clusters, nodes, attempts, quotes, events and usage as they travel. */
import * as z from 'zod';
import { engineKindSchema } from './engine-kind.ts';
import { clusterEnvironmentSchema, environmentIdSchema } from './environments.ts';
import { attemptIdSchema, clusterIdSchema, clusterNameSchema, nodeIdSchema, quoteIdSchema } from './ids.ts';
import { microUsdSchema } from './money.ts';
import { offerFilterSchema, pricePartSchema, providerIdSchema } from './offers.ts';
import { MOST_SAID, saidAmount, saidMoment, saidName } from './said.ts';
import { wishesSchema } from './terms-words.ts';

export const CLUSTER_PHASES = [
  'requested',
  'purchasing',
  'bootstrapping',
  'starting',
  'ready',
  'degraded',
  'unreachable',
  'stopping',
  'paused',
  'stopped',
  'expired',
  'failed',
] as const;
export const clusterPhaseSchema = z.enum(CLUSTER_PHASES);
export type ClusterPhase = z.infer<typeof clusterPhaseSchema>;

export const NODE_PHASES = [
  'requested',
  'purchasing',
  'booting',
  'bootstrapping',
  'starting',
  'ready',
  'unreachable',
  'stopping',
  'gone',
  'failed',
] as const;
export const nodePhaseSchema = z.enum(NODE_PHASES);
export type NodePhase = z.infer<typeof nodePhaseSchema>;

/**
 * One purchase tried.
 * `intended`: the row stands, no answer yet · `owned`: the network confirmed it · `refused`: certainly not bought ·
 * `quarantined`: the answer was unclear, its ref is looked for · `releasing`: destroy asked, not confirmed ·
 * `gone`: confirmed absent or destroyed.
 */
export const attemptStateSchema = z.enum([
  'intended',
  'owned',
  'refused',
  'quarantined',
  'releasing',
  'gone',
]);
export type AttemptState = z.infer<typeof attemptStateSchema>;

/** One thing that can be said about a cluster whatever its phase. */
export const conditionSchema = z.object({
  status: z.enum(['yes', 'no', 'unknown']),
  /** A short machine-readable word, such as `ray_starting`. */
  reason: z.string(),
  /** A sentence for people; empty where the status says it all. */
  message: z.string(),
  sinceMs: z.number(),
});
export type Condition = z.infer<typeof conditionSchema>;

export const CONDITIONS = ['kernel', 'engine', 'billing', 'cleanup'] as const;
/** `kernel`: a notebook can run · `engine`: Ray is complete · `billing`: something may cost · `cleanup`: nothing is left. */
export const conditionsSchema = z.object({
  kernel: conditionSchema,
  engine: conditionSchema,
  billing: conditionSchema,
  cleanup: conditionSchema,
});
export type Conditions = z.infer<typeof conditionsSchema>;

/** When spending ends; whichever comes first. */
export const capsSchema = z.object({
  /** The most this cluster may cost in one run, from its start to its end, saving included. */
  totalMicroUsd: microUsdSchema,
  /** Wall-clock stop time, ms since the epoch; null: none. */
  stopAtMs: z.number().int().nullable(),
  /** Stop after this long without work; null: never. */
  idleMs: z.number().int().min(60_000).nullable(),
});
export type Caps = z.infer<typeof capsSchema>;

/**
 * A path inside a cluster's work folder: relative, `/`-separated, never leaving it. Other characters are the machine's
 * own affair: on Linux a backslash is part of a name.
 */
export const workPathSchema = z
  .string()
  .max(4096)
  .refine(
    path => !path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..'),
    'must be a relative path with forward slashes that stays inside the work folder',
  );

export const savePlanSchema = z.object({
  /** Files and folders of the work folder to fetch before the machines are destroyed. */
  paths: z.array(workPathSchema).max(100),
  /** Absolute folder on this computer that receives them; null: `<HITCH_HOME>/saved/<cluster>/<start>`. */
  toFolder: z.string().nullable(),
  /** Tried for so long at most before the machines are deleted without; left out: as long as the spending limit allows. */
  withinMs: z.number().int().min(60_000).optional(),
});
export type SavePlan = z.infer<typeof savePlanSchema>;

export const quoteRequestSchema = z.object({
  /** A template's name, or the absolute path of its folder. Null: `notebook` for one node, `ray` for more. */
  template: z.string().max(4096).nullable().default(null),
  /** Null: chosen from the number of nodes and the template. */
  engine: z.string().max(40).nullable().default(null),
  nodes: z.number().int().min(1).max(100).default(1),
  /** Offers to take, in the order given; empty: the cheapest that pass `filter`. */
  offerIds: z.array(z.string().max(200)).max(100).default([]),
  filter: offerFilterSchema.default({}),
  /**
   * Whether what is tried when the first choice is gone may be of another network than it. Null: of those that `filter`
   * lets in. True: of any. Several nodes must reach each other, and stay at one network.
   */
  otherNetworks: z.boolean().nullable().default(null),
  /** Never pay more than this an hour for one node; null: 1.1 times the first candidate. */
  maxNodePricePerHourMicroUsd: microUsdSchema.nullable().default(null),
  /** The most the cluster may cost; null: as in `DEFAULT_LIMITS`, $2. */
  capMicroUsd: microUsdSchema.nullable().default(null),
  /** Null: none. Clients ask for that of `DEFAULT_LIMITS` where a person says nothing. */
  stopAtMs: z.number().int().nullable().default(null),
  /** Null: as in `DEFAULT_LIMITS`, 30 minutes. 0: never. */
  idleMs: z.number().int().min(0).nullable().default(null),
  save: savePlanSchema.default({ paths: [], toFolder: null }),
  /** Names of stored secrets that this cluster may read. */
  secrets: z.array(z.string().max(100)).max(50).default([]),
  /** What the client that asks sends there once it is ready, in its own words for a path; kept for the next start. */
  send: z.array(z.string().max(4096)).max(1000).default([]),
  /** The folder in which those paths mean what they meant when they were chosen, in that client's words. */
  sendFrom: z.string().max(4096).optional(),
  /** A lock that was made with `environments.lock`; null: Hitch's own packages. */
  environment: environmentIdSchema.nullable().default(null),
  ...wishesSchema.shape,
});
export type QuoteRequest = z.infer<typeof quoteRequestSchema>;

export const quoteCandidateSchema = z.object({
  offerId: z.string(),
  provider: providerIdSchema,
  /** Such as `1× RTX 4090, 24 GB`. */
  title: z.string(),
  pricePerHourMicroUsd: microUsdSchema,
  nonRefundableMicroUsd: microUsdSchema,
  floorMicroUsd: microUsdSchema.default('0'),
  /** The disk that it is bought with; left out by a daemon that does not say it. */
  diskGiB: z.number().int().optional(),
  /** How long is paid at once, where it is sold by terms; left out: it costs as it is used. */
  termMs: z.number().int().optional(),
  /** Why it stands where it does among the others, a sentence each; left out by a daemon that does not say it. */
  why: z.array(z.string()).optional(),
  /** What the network's list says that it costs, where the price above is what the network itself says of these terms. */
  listedPerHourMicroUsd: microUsdSchema.optional(),
});

export const quoteAgainSchema = z.object({
  /** The same GPU, as many of it; false: nothing like it is on offer, and this is the nearest. */
  isAlike: z.boolean(),
  /** A sentence for each thing that differs; they stand in `lines` too. */
  changes: z.array(z.string()),
});
export type QuoteAgain = z.infer<typeof quoteAgainSchema>;

export const quoteSchema = z.object({
  id: quoteIdSchema,
  createdAtMs: z.number(),
  expiresAtMs: z.number(),
  practice: z.boolean(),
  template: z.string(),
  engine: engineKindSchema,
  nodes: z.number().int(),
  /** In the order they are tried. */
  candidates: z.array(quoteCandidateSchema),
  /** What the first choices cost an hour, all nodes together. */
  ratePerHourMicroUsd: microUsdSchema,
  /** What the dearest allowed choices cost an hour, all nodes together. */
  highestRatePerHourMicroUsd: microUsdSchema,
  parts: z.array(pricePartSchema),
  nonRefundableMicroUsd: microUsdSchema,
  /** The least that the first choices' hours cost, however early they end. */
  floorMicroUsd: microUsdSchema.default('0'),
  /** Kept back inside the cap to save before destroying. */
  savingReserveMicroUsd: microUsdSchema,
  caps: capsSchema,
  /** What is asked for beside what the offers say; left out: nothing. Prices hold it. */
  asked: wishesSchema.optional(),
  save: savePlanSchema,
  secrets: z.array(z.string()),
  /** Null or left out: Hitch's own packages. */
  environment: environmentIdSchema.nullable().optional(),
  /** What the client that asked is to send once it is ready; the daemon sends nothing by itself. */
  send: z.array(z.string()).default([]),
  endsBillingAlone: z.boolean(),
  /** How many others may be rented in the place of each machine that does not start; left out: none. */
  othersIfNotUp: z.number().int().nonnegative().optional(),
  /** How a cluster that is rented for once more differs from what it had; null: the quote is for another one. */
  again: quoteAgainSchema.nullable().default(null),
  /** The confirm dialog, a line each, in the words all clients use. */
  lines: z.array(z.string()),
  /** The label of the button that says yes, such as `Rent for up to $0.46/h`. */
  yes: z.string(),
});
export type Quote = z.infer<typeof quoteSchema>;

export const attemptSchema = z.object({
  id: attemptIdSchema,
  nodeId: nodeIdSchema,
  /** The mark on the rented thing where the network has a place for one. */
  ref: z.string(),
  provider: providerIdSchema,
  offerId: z.string(),
  /** For people, such as `1× RTX 4090, 24 GB, Vast.ai, DE`; '' from a daemon that does not say it. */
  offerTitle: z.string().default(''),
  state: attemptStateSchema,
  instanceId: z.string().nullable(),
  /** Made elsewhere, and taken over by a person: to be counted and ended only, or worked on too. Left out: bought here. */
  adopted: z.enum(['watched', 'set_up']).optional(),
  message: z.string(),
  pricePerHourMicroUsd: microUsdSchema,
  costMicroUsd: microUsdSchema,
  createdAtMs: z.number(),
  endedAtMs: z.number().nullable(),
});
export type Attempt = z.infer<typeof attemptSchema>;

export const gpuSignalSchema = z.object({
  index: saidAmount.int(),
  name: saidName,
  /** 0 … 100; null where the driver does not say. */
  utilizationPercent: saidAmount.nullable(),
  vramUsedMiB: saidAmount.nullable(),
  vramTotalMiB: saidAmount.nullable(),
});

export const signalsSchema = z.object({
  atMs: saidMoment,
  cpuPercent: saidAmount,
  cpuCores: saidAmount,
  memoryUsedMiB: saidAmount,
  memoryTotalMiB: saidAmount,
  diskUsedMiB: saidAmount,
  diskTotalMiB: saidAmount,
  gpus: z.array(gpuSignalSchema).max(MOST_SAID.gpus),
});
export type Signals = z.infer<typeof signalsSchema>;

/** What a machine has said of itself. */
export const machineAboutSchema = z.object({
  /** Its system, processor, driver and the like, for people; '' where nothing is known. */
  says: z.string(),
  /** What is not as one would expect, a sentence each. */
  warnings: z.array(z.string()),
  /** Whether its agent, which holds limits, starts by itself after a reboot of the machine. */
  returnsAfterReboot: z.boolean(),
});
export type MachineAbout = z.infer<typeof machineAboutSchema>;

export const nodeSchema = z.object({
  id: nodeIdSchema,
  clusterId: clusterIdSchema,
  /** 0 is the head. */
  index: z.number().int(),
  phase: nodePhaseSchema,
  message: z.string(),
  phaseSinceMs: z.number(),
  /** When this phase counts as failed; null: it may take any time. Left out by a daemon that does not say it. */
  waitsUntilMs: z.number().nullable().optional(),
  title: z.string(),
  provider: providerIdSchema.nullable(),
  signals: signalsSchema.nullable(),
  /** Left out while the machine is not reached, and where it is this computer. */
  machine: machineAboutSchema.optional(),
  attempts: z.array(attemptSchema),
});
export type Node = z.infer<typeof nodeSchema>;

export const usageSchema = z.object({
  ratePerHourMicroUsd: microUsdSchema,
  /**
   * What all of it costs an hour by what was agreed to, while some of its machines are still to appear: what costs now grows up to
   * that. Left out: all of it costs.
   */
  agreedRatePerHourMicroUsd: microUsdSchema.optional(),
  /** Spent until now, in all its runs. */
  accruedMicroUsd: microUsdSchema,
  /** Spent in earlier runs, before it was last started; the cap does not count it. */
  spentBeforeMicroUsd: microUsdSchema.default('0'),
  /** What this run is already certain to cost: what it has cost, non-refundable parts and the saving reserve. */
  committedMicroUsd: microUsdSchema,
  /** Of what is spent, so much is for time to come: a minimum charge that is not used up. */
  paidAheadMicroUsd: microUsdSchema.default('0'),
  /** Of what has left the account ahead, or as a deposit, so much comes back if all ends now. Left out: nothing. */
  comesBackMicroUsd: microUsdSchema.optional(),
  /** Machines whose time is sold ahead. Left out: none is. */
  terms: z
    .array(
      z.object({
        nodeId: nodeIdSchema,
        /** It is bought for so long at a time. */
        termMs: z.number().int(),
        /** When what is paid is over. */
        endsAtMs: z.number(),
        /** What one more term costs. */
        costMicroUsd: microUsdSchema,
        /** What is not used of a term comes back. */
        comesBack: z.boolean(),
      }),
    )
    .optional(),
  capMicroUsd: microUsdSchema,
  /** When the cap would be reached at today's rate; null where nothing costs. */
  capReachedAtMs: z.number().nullable(),
  parts: z.array(
    z.object({
      nodeId: nodeIdSchema,
      attemptId: attemptIdSchema,
      label: z.string(),
      ratePerHourMicroUsd: microUsdSchema,
      startMs: z.number(),
      endMs: z.number().nullable(),
      costMicroUsd: microUsdSchema,
    }),
  ),
});
export type Usage = z.infer<typeof usageSchema>;

/** How far a save is, before a stop or because somebody asked. */
export const savingSchema = z.object({
  files: z.number().int(),
  bytes: z.number().int(),
  doneFiles: z.number().int(),
  doneBytes: z.number().int(),
  /** Until when it is tried, ms since the epoch; null: it is not followed by a destroy. */
  untilMs: z.number().nullable(),
  /** Why it does not go on at the moment, a sentence; null: it does. */
  problem: z.string().nullable(),
});
export type Saving = z.infer<typeof savingSchema>;

export const clusterSchema = z.object({
  id: clusterIdSchema,
  name: clusterNameSchema,
  practice: z.boolean(),
  /** Its machines are the person's own: they stay when it ends. */
  ownMachines: z.boolean().optional(),
  phase: clusterPhaseSchema,
  phaseSinceMs: z.number(),
  /** Why it is in this phase, a sentence; empty where the phase says it all. */
  message: z.string(),
  conditions: conditionsSchema,
  engine: engineKindSchema,
  template: z.string(),
  nodes: z.array(nodeSchema),
  caps: capsSchema,
  save: savePlanSchema,
  /** Where on this computer the things named to save lie, absolute, each once. */
  saved: z.array(z.string()),
  /** The save that goes on now; null: none. */
  saving: savingSchema.nullable().default(null),
  /** What kernels, shells and the engine run in; left out by a daemon that does not say it. */
  environment: clusterEnvironmentSchema.optional(),
  createdAtMs: z.number(),
  endedAtMs: z.number().nullable(),
  usage: usageSchema,
  /** Base path of the Jupyter API on the daemon, such as `/clusters/clu_…/jupyter`. */
  jupyterPath: z.string(),
  lastEventSeq: z.number().int(),
});
export type Cluster = z.infer<typeof clusterSchema>;

/** One transition. `seq` counts 1, 2, 3… inside its cluster. */
export const eventSchema = z.object({
  clusterId: clusterIdSchema,
  seq: z.number().int(),
  atMs: z.number(),
  kind: z.enum(['phase', 'node', 'attempt', 'condition', 'price', 'warning', 'saved', 'removed']),
  nodeId: nodeIdSchema.nullable(),
  attemptId: attemptIdSchema.nullable(),
  /** Machine-readable, such as `bootstrapping` or `owned`. */
  value: z.string(),
  /** For people. */
  message: z.string(),
});
export type ClusterEvent = z.infer<typeof eventSchema>;

/** An event and the opaque cursor that stands right after it. */
export const watchedEventSchema = z.object({ cursor: z.string(), event: eventSchema });
export type WatchedEvent = z.infer<typeof watchedEventSchema>;
