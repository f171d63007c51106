/**
 * The agent's contract: what the daemon may ask of the program on each node. JSON over HTTP/1.1 on a local
 * socket (or a tunnel to one), bearer token on every request. Beside these routes the agent serves, raw:
 *
 * - `GET  /kernels/<id>/channels?session_id=…[&cursor=<epoch>:<seq>]` (WebSocket): see kernel-protocol.ts;
 * - `ANY  /jupyter/api/{kernels,sessions,kernelspecs,contents}…`: Jupyter Server's own REST answers, JSON only;
 * - `GET  /terminals/<name>/socket` (WebSocket): terminado's JSON frames;
 * - `GET  /ssh` (`Upgrade: ssh`; also with `Authorization: Ticket <ticket>`): after 101, the bare bytes of one connection
 *   to this node's sshd;
 * - `GET  /ports/<port>` (`Upgrade: tcp`): after 101, the bare bytes of one connection to what listens there; the node's own
 *   programs alone;
 * - `GET  /raw-files?path=…` (Range honoured) and `PUT /raw-files?path=…&offset=…&total=…&sha256=…`: bytes;
 * - `ANY  /ray/…`: this node's Ray dashboard API, head only; `Authorization` is replaced by Ray's own token.
 */
import { eventIterator, oc } from '@orpc/contract';
import * as z from 'zod';
import { busyLimitsSchema } from './busy-words.ts';
import { signalsSchema, workPathSchema } from './clusters.ts';
import { engineKindSchema } from './engine-kind.ts';
import { agentEnvironmentSchema, nodeEnvironmentSchema } from './environments.ts';
import { jobIdSchema, jobNameSchema } from './ids.ts';
import {
  jobFindsSchema,
  jobLogPageSchema,
  jobLogQuerySchema,
  jobSearchQuerySchema,
  jobSpecSchema,
  MOST_NODE_JOBS,
  nodeJobSchema,
  rayJobsSchema,
} from './jobs.ts';
import { metricPointsQuerySchema, metricPointsSchema } from './metrics/wire.ts';
import {
  checksumSchema,
  executionQuerySchema,
  executionSchema,
  fileEntrySchema,
  journalCursorSchema,
  kernelSchema,
  MOST_LISTED,
  terminalSchema,
  uploadStateSchema,
} from './runtime.ts';
import { nodePortsSchema } from './ports.ts';
import { MOST_SAID, saidAmount, saidMoment, saidName, saidSentence } from './said.ts';
import { nodeSshSchema, publicKeySchema, sshTicketSchema } from './ssh.ts';
import { usePageSchema, useQuerySchema } from './use/wire.ts';

/** State of one program the agent keeps running. */
export const supervisedSchema = z.object({
  state: z.enum(['off', 'starting', 'running', 'restarting', 'failed']),
  pid: saidAmount.int().nullable(),
  restarts: saidAmount.int(),
  message: saidSentence,
});
export type Supervised = z.infer<typeof supervisedSchema>;

/** When the agent ends the node by itself. */
export const watchdogConfigSchema = z.object({
  /** ms since the epoch; null: none. The daemon folds the money cap into it. */
  stopAtMs: z.number().nullable(),
  idleMs: z.number().nullable(),
  /** How long before `stopAtMs` the agent warns. */
  warnBeforeMs: z.number().default(600_000),
  /** A URL that receives `{cluster, node, sentence, atMs}` as JSON for each warning; null: none. */
  webhookUrl: z.string().nullable().default(null),
  /** From when on processes count as work; left out: the usual. */
  busy: busyLimitsSchema.optional(),
  /** The time by the clock that `stopAtMs` is meant by: an agent whose own is off counts how long there is until then. */
  nowMs: z.number().optional(),
});
export type WatchdogConfig = z.infer<typeof watchdogConfigSchema>;

export const watchdogStateSchema = z.object({
  state: z.enum(['off', 'armed', 'warned', 'ending']),
  reason: z.enum(['none', 'stop_time', 'idle']),
  idleSinceMs: saidMoment.nullable(),
  /** What keeps it busy, a sentence each: `kernel train.ipynb is busy`. */
  activity: z.array(saidSentence).max(MOST_SAID.activity),
  /** What was looked at to find it idle, a list for a sentence. */
  looksAt: saidSentence.optional(),
  stopAtMs: saidMoment.nullable(),
});
export type WatchdogState = z.infer<typeof watchdogStateSchema>;

/** The Ray label, `true`, of a node that is processes on this computer beside others. */
export const PRACTICE_LABEL = 'hitch-practice';

/** How this node takes part in the engine. */
export const engineConfigSchema = z.object({
  kind: engineKindSchema,
  role: z.enum(['head', 'worker']),
  rayVersion: z.string().nullable(),
  /** `host:port` of the head's GCS; workers only. */
  headAddress: z.string().nullable(),
  /** This node's address as the other nodes reach it. */
  nodeAddress: z.string(),
  /** First of 150 consecutive TCP ports this node may use; null: Ray's usual ones. */
  portBase: z.number().int().nullable(),
  numCpus: z.number().nullable(),
  numGpus: z.number().nullable(),
  gpuModel: z.string().nullable(),
  labels: z.record(z.string(), z.string()),
  /** Ray's cluster token; travels only in this call and lies in a 0600 file on the node. */
  token: z.string(),
});
export type EngineConfig = z.infer<typeof engineConfigSchema>;

/** The file that starts an agent (0600, path given in argv; no secret is ever in argv or the environment). */
export const agentConfigSchema = z.object({
  protocol: z.number().int(),
  clusterId: z.string(),
  clusterName: z.string(),
  nodeId: z.string(),
  /** The attempt's ref, which tags every process of the node as `HITCH_NODE`. */
  ref: z.string(),
  /** Bearer that the daemon must send. */
  token: z.string(),
  /** Unix socket path, Windows pipe, or `127.0.0.1:port`. */
  listen: z.string(),
  /** Folder of the agent's own files: journal, logs, pids. */
  stateFolder: z.string(),
  /** The user's files; kernels start here and the files API is confined to it. */
  workFolder: z.string(),
  /** Interpreter with Jupyter (and Ray) installed. */
  python: z.string(),
  /** Runs Jupyter Server and kernels here (the head). */
  jupyter: z.boolean(),
  journal: z.object({
    maxBytesPerKernel: z
      .number()
      .int()
      .default(256 * 1024 * 1024),
    /** Journals of kernels that have ended, all together. */
    maxBytesEnded: z
      .number()
      .int()
      .default(1024 * 1024 * 1024),
    maxAgeMs: z
      .number()
      .int()
      .default(7 * 24 * 3_600_000),
  }),
  watchdog: watchdogConfigSchema,
  /** What people's programs run on, where it is not `python`, or packages were added to that. */
  environment: agentEnvironmentSchema.optional(),
  /** Secrets this cluster was given, name to value: for kernels and jobs only. */
  secrets: z.record(z.string(), z.string()).default({}),
});
export type AgentConfig = z.infer<typeof agentConfigSchema>;

/** Memory of the node or of a GPU is about to run out; the latest time that this was so. */
export const memoryWarningSchema = z.object({ atMs: saidMoment, sentence: saidSentence });
export type MemoryWarning = z.infer<typeof memoryWarningSchema>;

export const agentStatusSchema = z.object({
  protocol: z.number().int(),
  version: saidName,
  nodeId: saidName,
  ref: saidName,
  startedAtMs: saidMoment,
  nowMs: saidMoment,
  jupyter: supervisedSchema,
  engine: supervisedSchema.extend({
    /** `host:port` for workers to join, once the head runs. */
    headAddress: saidName.nullable(),
    /** Ray nodes alive as the head sees them; null on workers and without Ray. */
    nodesAlive: saidAmount.int().nullable(),
    rayVersion: saidName.nullable(),
  }),
  kernels: z.array(kernelSchema).max(MOST_SAID.kernels),
  watchdog: watchdogStateSchema,
  signals: signalsSchema.nullable(),
  /** Left out by an agent that has not made it yet. */
  environment: nodeEnvironmentSchema.optional(),
  /** Left out: there was always room. */
  memoryWarning: memoryWarningSchema.optional(),
});
export type AgentStatus = z.infer<typeof agentStatusSchema>;

/** Version of this contract; the daemon replaces an older agent by a newer one. */
export const AGENT_PROTOCOL = 1;

const byJob = z.object({ jobId: jobIdSchema });
const pathInput = z.object({ path: workPathSchema });

export const agentContract = {
  status: oc.route({ method: 'GET', path: '/status' }).output(agentStatusSchema),
  /** The status at once and again at each change and at least every 10 s. */
  watch: oc.route({ method: 'GET', path: '/watch' }).output(eventIterator(agentStatusSchema)),
  /** How this node did over time. */
  use: oc.route({ method: 'GET', path: '/use' }).input(useQuerySchema).output(usePageSchema),
  startEngine: oc
    .route({ method: 'POST', path: '/engine' })
    .input(engineConfigSchema)
    .output(agentStatusSchema),
  setWatchdog: oc
    .route({ method: 'PUT', path: '/watchdog' })
    .input(watchdogConfigSchema)
    .output(watchdogStateSchema),
  /**
   * Has kernels, shells and Ray run in another environment from their next start on. Kernels that run keep what they have; Ray is
   * started again. The same or an earlier generation changes nothing. @throws with a sentence where it cannot be made.
   */
  setEnvironment: oc
    .route({ method: 'PUT', path: '/environment' })
    .input(agentEnvironmentSchema)
    .output(nodeEnvironmentSchema),
  /** Interrupts kernels, then ends kernels, Jupyter, Ray and the agent itself. */
  shutDown: oc
    .route({ method: 'POST', path: '/shutdown' })
    .input(z.object({ reason: z.string() }))
    .output(z.object({})),
  kernels: {
    /**
     * Interrupts every kernel that is at work, and waits a few seconds for them to be idle: what a cell does in its
     * `finally` is worth a moment. Answers how many were interrupted.
     */
    interruptAll: oc
      .route({ method: 'POST', path: '/kernel-interrupts' })
      .output(z.object({ interrupted: saidAmount.int() })),
    executions: oc
      .route({ method: 'GET', path: '/kernels/{kernelId}/executions' })
      .input(executionQuerySchema.extend({ kernelId: z.string() }))
      .output(z.array(executionSchema).max(MOST_SAID.executions)),
    cursor: oc
      .route({ method: 'GET', path: '/kernels/{kernelId}/cursor' })
      .input(z.object({ kernelId: z.string() }))
      .output(journalCursorSchema),
  },
  terminals: {
    list: oc
      .route({ method: 'GET', path: '/terminals' })
      .output(z.array(terminalSchema).max(MOST_SAID.terminals)),
    create: oc
      .route({ method: 'POST', path: '/terminals' })
      .input(z.object({ name: z.string().optional() }))
      .output(terminalSchema),
    remove: oc
      .route({ method: 'DELETE', path: '/terminals/{name}' })
      .input(z.object({ name: z.string() }))
      .output(z.object({})),
  },
  jobs: {
    /** Starts it, once: the same id again answers how it stands. */
    start: oc
      .route({ method: 'POST', path: '/jobs' })
      .input(byJob.extend({ name: jobNameSchema, engine: engineKindSchema, spec: jobSpecSchema }))
      .output(nodeJobSchema),
    /** Those that are not over, and the latest of the others. */
    list: oc.route({ method: 'GET', path: '/jobs' }).output(z.array(nodeJobSchema).max(MOST_NODE_JOBS)),
    get: oc.route({ method: 'GET', path: '/jobs/{jobId}' }).input(byJob).output(nodeJobSchema),
    /** Asks it to end; answers at once. Of one that is over nothing changes. */
    stop: oc.route({ method: 'POST', path: '/jobs/{jobId}/stop' }).input(byJob).output(nodeJobSchema),
    /** The node is to end: asks all to end, and answers when they are over. Each has a few seconds for a last checkpoint. */
    endAll: oc.route({ method: 'POST', path: '/job-ends' }).output(z.object({})),
    /** What Ray's dashboard says was submitted to it; none on workers and where no Ray runs. */
    ofRay: oc.route({ method: 'GET', path: '/ray-jobs' }).output(rayJobsSchema),
    log: oc
      .route({ method: 'GET', path: '/jobs/{jobId}/log' })
      .input(byJob.extend(jobLogQuerySchema.shape))
      .output(jobLogPageSchema),
    /** Points of its figures, whoever told of them. */
    metrics: oc
      .route({ method: 'GET', path: '/jobs/{jobId}/metric-points' })
      .input(byJob.extend(metricPointsQuerySchema.shape))
      .output(metricPointsSchema),
    search: oc
      .route({ method: 'GET', path: '/jobs/{jobId}/log-search' })
      .input(byJob.extend(jobSearchQuerySchema.shape))
      .output(jobFindsSchema),
  },
  /** Lets the bearer of this key in by ssh, and nobody else. The same call again changes nothing. */
  allowSsh: oc
    .route({ method: 'PUT', path: '/ssh-key' })
    .input(z.object({ publicKey: publicKeySchema }))
    .output(nodeSshSchema),
  /** Lets one connection in without the bearer. */
  sshTicket: oc.route({ method: 'POST', path: '/ssh-tickets' }).output(sshTicketSchema),
  /** Ports that the node's own programs listen on; not those of Hitch, Jupyter and Ray themselves. */
  ports: oc.route({ method: 'GET', path: '/ports' }).output(nodePortsSchema),
  /** A person is at work through something that the agent does not see into, such as ssh: not idle at this moment. */
  touch: oc.route({ method: 'POST', path: '/touch' }).output(z.object({})),
  files: {
    list: oc
      .route({ method: 'GET', path: '/files' })
      .input(pathInput)
      .output(z.array(fileEntrySchema).max(MOST_LISTED)),
    stat: oc.route({ method: 'GET', path: '/file' }).input(pathInput).output(fileEntrySchema),
    checksum: oc.route({ method: 'GET', path: '/file-checksum' }).input(pathInput).output(checksumSchema),
    uploadState: oc.route({ method: 'GET', path: '/file-upload' }).input(pathInput).output(uploadStateSchema),
    makeFolder: oc.route({ method: 'POST', path: '/folders' }).input(pathInput).output(fileEntrySchema),
    move: oc
      .route({ method: 'POST', path: '/file-moves' })
      .input(z.object({ from: workPathSchema, to: workPathSchema }))
      .output(fileEntrySchema),
    remove: oc
      .route({ method: 'DELETE', path: '/file' })
      .input(pathInput.extend({ recursive: z.stringbool().or(z.boolean()).default(false) }))
      .output(z.object({})),
  },
};
