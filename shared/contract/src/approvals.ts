/**
 * Approvals: a person's yes to what a page would spend, to logins and to machines of one's own. A page's script has all that the page has, so nothing it sends
 * can be that yes. It asks for one here, and a person gives it where no page can: in a window of the daemon's own
 * origin, or with `hitch approve` in a terminal. The yes itself does what was asked for; there is nothing to hand on.
 */
import * as z from 'zod';
import { adoptionSchema } from './adoption.ts';
import { capsSchema } from './clusters.ts';
import { errorEnvelopeSchema } from './errors.ts';
import { approvalIdSchema, clusterIdSchema, clusterNameSchema, jobIdSchema, quoteIdSchema } from './ids.ts';
import { microUsdSchema } from './money.ts';
import { hostKeySchema, loginValuesSchema, machineNameSchema } from './networks.ts';
import { providerIdSchema } from './offers.ts';

/** Limits to be moved; what is left out stays as it is. */
export const limitChangeSchema = z.object({
  capMicroUsd: microUsdSchema.optional(),
  stopAtMs: capsSchema.shape.stopAtMs.optional(),
  idleMs: capsSchema.shape.idleMs.optional(),
});
export type LimitChange = z.infer<typeof limitChangeSchema>;

export const approvalActionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('rent'), quoteId: quoteIdSchema, name: clusterNameSchema.optional() }),
  /** A job that rents its own machine, as `jobs.quote` froze it. */
  z.object({ kind: z.literal('job'), jobId: jobIdSchema }),
  z.object({ kind: z.literal('start-again'), clusterId: clusterIdSchema, quoteId: quoteIdSchema }),
  z.object({ kind: z.literal('extend'), clusterId: clusterIdSchema, ...limitChangeSchema.shape }),
  /** Its values are held until it is answered, and never shown. */
  z.object({ kind: z.literal('login'), provider: providerIdSchema, values: loginValuesSchema }),
  z.object({ kind: z.literal('logout'), provider: providerIdSchema }),
  z.object({
    kind: z.literal('add-machine'),
    machine: machineNameSchema,
    pricePerHourMicroUsd: microUsdSchema.optional(),
    hostKey: hostKeySchema.shape.fingerprint.optional(),
  }),
  z.object({ kind: z.literal('remove-machine'), machine: machineNameSchema }),
  z.object({ kind: z.literal('clean-machine'), machine: machineNameSchema }),
  z.object({ kind: z.literal('adopt'), ...adoptionSchema.shape }),
]);
export type ApprovalAction = z.infer<typeof approvalActionSchema>;

/**
 * `waiting`: for a person · `doing`: the yes was said, it is being done · `done` · `failed`: after the yes, see
 * `problem` · `declined`: a person said no · `withdrawn`: whoever asked takes it back · `expired`: nobody answered.
 */
export const APPROVAL_STATES = [
  'waiting',
  'doing',
  'done',
  'failed',
  'declined',
  'withdrawn',
  'expired',
] as const;
export const approvalStateSchema = z.enum(APPROVAL_STATES);
export type ApprovalState = z.infer<typeof approvalStateSchema>;

export const approvalSchema = z.object({
  id: approvalIdSchema,
  /** What `hitch approve` names it by. */
  code: z.string(),
  state: approvalStateSchema,
  /** What is approved, a line each, the question first; frozen when it was asked for. */
  lines: z.array(z.string()),
  /** The label of the button that says yes, such as `Rent for up to $0.46/h`. */
  yes: z.string(),
  askedAtMs: z.number(),
  expiresAtMs: z.number(),
  /** The daemon's own window, which only a browser on the daemon's computer can open. */
  windowUrl: z.string(),
  /** What was rented or changed, once it is done. */
  clusterId: clusterIdSchema.nullable(),
  /** The job that was begun, once it is; left out: none. */
  jobId: jobIdSchema.optional(),
  /** What the yes began on a machine of one's own, to be followed with `networks.task`. */
  taskId: z.string().nullable(),
  /** Why it failed after the yes; null: it did not. */
  problem: errorEnvelopeSchema.nullable(),
});
export type Approval = z.infer<typeof approvalSchema>;

/** Nothing changes any more. */
export const isApprovalOver = ({ state }: Pick<Approval, 'state'>): boolean =>
  state !== 'waiting' && state !== 'doing';
