/** The daemon's HTTP contract. Server, client and OpenAPI document derive from it; nothing else writes a wire shape. */
import { eventIterator, oc } from '@orpc/contract';
import * as z from 'zod';
import { adoptionSchema } from './adoption.ts';
import { approvalActionSchema, approvalSchema, limitChangeSchema } from './approvals.ts';
import {
  attemptSchema,
  clusterSchema,
  eventSchema,
  nodeSchema,
  quoteRequestSchema,
  quoteSchema,
  usageSchema,
  watchedEventSchema,
} from './clusters.ts';
import { copies } from './copy-routes.ts';
import {
  environmentIdSchema,
  environmentRequestSchema,
  foundEnvironmentsSchema,
  lockedEnvironmentSchema,
  lockResultSchema,
} from './environments.ts';
import { copySchema } from './copies.ts';
import { daemonInfoSchema, doctorCheckSchema, providerInfoSchema, secretStoreSchema } from './daemon.ts';
import { approvalIdSchema, clusterIdSchema, clusterNameSchema, nodeIdSchema, quoteIdSchema } from './ids.ts';
import { microUsdSchema } from './money.ts';
import { jobs } from './job-routes.ts';
import { networks } from './network-routes.ts';
import { offers } from './offer-routes.ts';
import { ports } from './port-routes.ts';
import { wishChangeSchema } from './terms-words.ts';
import {
  checksumSchema,
  executionQuerySchema,
  executionSchema,
  fileEntrySchema,
  journalCursorSchema,
  kernelSchema,
  secretNameSchema,
  terminalSchema,
  uploadStateSchema,
} from './runtime.ts';
import { workPathSchema } from './clusters.ts';
import { clusterUrls } from './cluster-url.ts';
import { ssh } from './ssh-routes.ts';
import { templates } from './templates/routes.ts';
import { usePageSchema, useQuerySchema } from './use/wire.ts';

const byCluster = z.object({ clusterId: clusterIdSchema });
const byApproval = z.object({ approvalId: approvalIdSchema });
const byPath = byCluster.extend({ path: workPathSchema });
const empty = z.object({});

export const contract = {
  daemon: {
    info: oc
      .route({ method: 'GET', path: '/daemon', summary: 'Version, protocol and place of the daemon' })
      .output(daemonInfoSchema),
    doctor: oc
      .route({ method: 'GET', path: '/daemon/doctor', summary: 'Checks of this computer' })
      .output(z.array(doctorCheckSchema)),
    stop: oc
      .route({ method: 'POST', path: '/daemon/stop', summary: 'End the daemon; clusters keep running' })
      .output(empty),
  },
  offers,
  quotes: {
    create: oc
      .route({ method: 'POST', path: '/quotes', summary: 'Freeze offers, prices and limits for a decision' })
      .input(quoteRequestSchema)
      .output(quoteSchema),
    /**
     * For a stopped cluster: what was ordered for it, at today's prices; limits and terms that are given take the place of the
     * ordered ones. For one that runs: machines for its lost nodes, inside its present limits. Used with `clusters.startAgain`.
     * @throws NO_OFFERS when nothing near is on offer inside its filters, CONFLICT when nothing is to be rented for it,
     * BAD_INPUT when limits or terms are given for one that runs.
     */
    again: oc
      .route({ method: 'POST', path: '/clusters/{clusterId}/quotes', summary: 'A quote like the one it had' })
      .input(
        byCluster.extend({
          /** Passes over the offers that were tried in its last run. */
          skipTried: z.boolean().default(false),
          /** For a client that sends files: the folder that it serves. It sends again only what came from there. */
          sendsFrom: z.string().max(4096).optional(),
          /** Another environment than it had; null: Hitch's own packages. Left out: as it had. */
          environment: environmentIdSchema.nullable().optional(),
          ...limitChangeSchema.shape,
          ...wishChangeSchema.shape,
        }),
      )
      .output(quoteSchema),
    get: oc
      .route({ method: 'GET', path: '/quotes/{quoteId}' })
      .input(z.object({ quoteId: quoteIdSchema }))
      .output(quoteSchema),
  },
  /**
   * A person's yes to what a page would spend. With the bearer of pages, `clusters.create`, `clusters.startAgain` and an
   * `extend` that allows more than before answer APPROVAL_NEEDED: they are asked for here, and the yes does them.
   */
  approvals: {
    ask: oc
      .route({
        method: 'POST',
        path: '/approvals',
        summary: 'Ask a person for a yes; it is done when it is said',
      })
      .input(approvalActionSchema)
      .output(approvalSchema),
    list: oc
      .route({ method: 'GET', path: '/approvals', summary: 'Those that wait for a person, the oldest first' })
      .output(z.array(approvalSchema)),
    get: oc
      .route({ method: 'GET', path: '/approvals/{approvalId}' })
      .input(byApproval)
      .output(approvalSchema),
    /** A person's answer in a terminal. @throws APPROVAL_NEEDED for a page, CONFLICT when it waits no more. */
    answer: oc
      .route({ method: 'POST', path: '/approvals/{approvalId}/answer', summary: 'A person’s yes or no' })
      .input(byApproval.extend({ yes: z.boolean() }))
      .output(approvalSchema),
    /** Nobody waits for it any more; one that is over stays as it is. */
    withdraw: oc
      .route({ method: 'POST', path: '/approvals/{approvalId}/withdraw' })
      .input(byApproval)
      .output(approvalSchema),
  },
  clusters: {
    create: oc
      .route({
        method: 'POST',
        path: '/clusters',
        summary: 'Rent what the quote says; the same call again returns the same cluster',
      })
      .input(z.object({ quoteId: quoteIdSchema, name: clusterNameSchema.optional() }))
      .output(clusterSchema),
    /**
     * Takes over a machine on the account that this Hitch did not rent: it is counted from now on and ended at its limits, and
     * set up where that is asked for. One that is counted already may be set up so too, inside its limits as they are.
     * @throws CONFLICT where it is ours already, costs more than was shown, or does not let the person's key in.
     */
    adopt: oc
      .route({ method: 'POST', path: '/clusters/adopt', summary: 'Take over a machine that is not ours' })
      .input(adoptionSchema)
      .output(clusterSchema),
    list: oc.route({ method: 'GET', path: '/clusters' }).output(z.array(clusterSchema)),
    get: oc.route({ method: 'GET', path: '/clusters/{clusterId}' }).input(byCluster).output(clusterSchema),
    stop: oc
      .route({
        method: 'POST',
        path: '/clusters/{clusterId}/stop',
        summary: 'Save the chosen paths, delete the machines, confirm; the record stays',
      })
      .input(
        byCluster.extend({
          /** Destroys at once; a save that is under way ends. */
          skipSave: z.boolean().default(false),
          /** Saved too, besides what was named when the cluster was rented. */
          savePaths: z.array(workPathSchema).max(100).default([]),
        }),
      )
      .output(clusterSchema),
    startAgain: oc
      .route({
        method: 'POST',
        path: '/clusters/{clusterId}/start',
        summary: 'Rent again for a stopped cluster, with a fresh quote',
      })
      .input(byCluster.extend({ quoteId: quoteIdSchema }))
      .output(clusterSchema),
    extend: oc
      .route({
        method: 'POST',
        path: '/clusters/{clusterId}/extend',
        summary: 'A later stop time or a higher cap',
      })
      .input(byCluster.extend(limitChangeSchema.shape))
      .output(clusterSchema),
    /**
     * Has the machines of a running cluster make another environment; kernels get it when they start. It stays as it was where one
     * of them cannot. @throws CONFLICT where it does not run, or another change goes on.
     */
    changeEnvironment: oc
      .route({
        method: 'PUT',
        path: '/clusters/{clusterId}/environment',
        summary: 'Another environment, for kernels that start from then on',
      })
      .input(
        byCluster.extend({
          /** Of `environments.lock`; null: the one that the cluster was rented with, without what was added. */
          environment: environmentIdSchema.nullable(),
        }),
      )
      .output(clusterSchema),
    /** Ends a change that goes on; the environment stays as it was. */
    keepEnvironment: oc
      .route({ method: 'DELETE', path: '/clusters/{clusterId}/environment-change' })
      .input(byCluster)
      .output(clusterSchema),
    save: oc
      .route({
        method: 'POST',
        path: '/clusters/{clusterId}/save',
        summary: 'Begin to fetch the paths to save; follow the copy that is answered',
      })
      .input(byCluster.extend({ paths: z.array(workPathSchema).max(100).optional() }))
      .output(copySchema),
    remove: oc
      .route({ method: 'DELETE', path: '/clusters/{clusterId}', summary: 'Forget a stopped cluster' })
      .input(byCluster)
      .output(empty),
    events: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/events' })
      .input(
        byCluster.extend({
          afterSeq: z.coerce.number().int().min(0).default(0),
          limit: z.coerce.number().int().min(1).max(1000).default(200),
        }),
      )
      .output(z.array(eventSchema)),
    logs: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/logs', summary: "The end of a node's logs" })
      .input(
        byCluster.extend({
          nodeId: nodeIdSchema.optional(),
          name: z.enum(['agent', 'jupyter', 'ray', 'bootstrap']).default('agent'),
          bytes: z.coerce.number().int().min(1).max(1_000_000).default(20_000),
        }),
      )
      .output(z.object({ text: z.string() })),
  },
  environments: {
    /** Looks into folders of the daemon's computer, and not below them. */
    find: oc
      .route({
        method: 'GET',
        path: '/environments/files',
        summary: 'Files in folders that an environment can be made from',
      })
      .input(z.object({ folders: z.array(z.string().min(1).max(4096)).min(1).max(20) }))
      .output(foundEnvironmentsSchema),
    /** Reads a file of packages and pins all of them for the machines; nothing is rented or installed. */
    lock: oc
      .route({
        method: 'POST',
        path: '/environments',
        summary: 'Lock an environment; all that is wrong is answered',
      })
      .input(environmentRequestSchema)
      .output(lockResultSchema),
    get: oc
      .route({ method: 'GET', path: '/environments/{id}' })
      .input(z.object({ id: environmentIdSchema }))
      .output(lockedEnvironmentSchema),
    /** Removes environments of this computer that no cluster uses. */
    clean: oc
      .route({ method: 'POST', path: '/environments/clean', summary: 'Free the room of unused environments' })
      .output(z.object({ removed: z.number().int(), freedBytes: z.number() })),
  },
  nodes: {
    list: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/nodes' })
      .input(byCluster)
      .output(z.array(nodeSchema)),
    /** Kept on the node itself, and gone with it. */
    use: oc
      .route({
        method: 'GET',
        path: '/clusters/{clusterId}/nodes/{nodeIndex}/use',
        summary:
          'CPU, memory, disk, network and GPUs of a node over time, and what kernels and jobs have of them',
      })
      .input(byCluster.extend({ nodeIndex: z.coerce.number().int().min(0), ...useQuerySchema.shape }))
      .output(usePageSchema),
  },
  attempts: {
    list: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/attempts' })
      .input(byCluster)
      .output(z.array(attemptSchema)),
  },
  usage: {
    get: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/usage' })
      .input(byCluster)
      .output(usageSchema),
    total: oc
      .route({ method: 'GET', path: '/usage', summary: 'What all clusters cost between two moments' })
      .input(z.object({ fromMs: z.coerce.number(), toMs: z.coerce.number() }))
      .output(z.object({ costMicroUsd: microUsdSchema, ratePerHourMicroUsd: microUsdSchema })),
  },
  events: {
    /** The cursor that stands after the newest event: taken before a list, it makes list and stream agree. */
    cursor: oc.route({ method: 'GET', path: '/events/cursor' }).output(z.object({ cursor: z.string() })),
    /** Every event after `cursor` in order, then live ones; without a cursor only live ones. */
    watch: oc
      .route({ method: 'GET', path: '/events' })
      .input(z.object({ cursor: z.string().optional() }))
      .output(eventIterator(watchedEventSchema)),
  },
  kernels: {
    list: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/kernels' })
      .input(byCluster)
      .output(z.array(kernelSchema)),
    executions: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/kernels/{kernelId}/executions' })
      .input(byCluster.extend({ kernelId: z.string(), ...executionQuerySchema.shape }))
      .output(z.array(executionSchema)),
    cursor: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/kernels/{kernelId}/cursor' })
      .input(byCluster.extend({ kernelId: z.string() }))
      .output(journalCursorSchema),
  },
  terminals: {
    list: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/terminals' })
      .input(byCluster)
      .output(z.array(terminalSchema)),
    create: oc
      .route({ method: 'POST', path: '/clusters/{clusterId}/terminals' })
      .input(byCluster.extend({ name: z.string().optional() }))
      .output(terminalSchema),
    remove: oc
      .route({ method: 'DELETE', path: '/clusters/{clusterId}/terminals/{name}' })
      .input(byCluster.extend({ name: z.string() }))
      .output(empty),
  },
  clusterUrls,
  ssh,
  ports,
  files: {
    list: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/files' })
      .input(byPath)
      .output(z.array(fileEntrySchema)),
    stat: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/file' })
      .input(byPath)
      .output(fileEntrySchema),
    checksum: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/file-checksum' })
      .input(byPath)
      .output(checksumSchema),
    uploadState: oc
      .route({ method: 'GET', path: '/clusters/{clusterId}/file-upload' })
      .input(byPath)
      .output(uploadStateSchema),
    makeFolder: oc
      .route({ method: 'POST', path: '/clusters/{clusterId}/folders' })
      .input(byPath)
      .output(fileEntrySchema),
    move: oc
      .route({ method: 'POST', path: '/clusters/{clusterId}/file-moves' })
      .input(byCluster.extend({ from: workPathSchema, to: workPathSchema }))
      .output(fileEntrySchema),
    remove: oc
      .route({ method: 'DELETE', path: '/clusters/{clusterId}/file' })
      .input(byPath.extend({ recursive: z.stringbool().or(z.boolean()).default(false) }))
      .output(empty),
  },
  jobs,
  copies,
  providers: {
    list: oc.route({ method: 'GET', path: '/providers' }).output(z.array(providerInfoSchema)),
  },
  templates,
  secrets: {
    list: oc.route({ method: 'GET', path: '/secrets' }).output(secretStoreSchema),
    set: oc
      .route({
        method: 'PUT',
        path: '/secrets/{name}',
        summary: 'Store a secret; its value is never returned',
      })
      .input(z.object({ name: secretNameSchema, value: z.string().min(1).max(65_536) }))
      .output(empty),
    remove: oc
      .route({ method: 'DELETE', path: '/secrets/{name}' })
      .input(z.object({ name: secretNameSchema }))
      .output(empty),
  },
  networks,
};
export type Contract = typeof contract;
