/** The part of the contract that copies files. */
import { oc } from '@orpc/contract';
import * as z from 'zod';
import { conflictSchema, copyNamesSchema, copyRequestSchema, copySchema, outcomeSchema } from './copies.ts';
import { clusterIdSchema, copyIdSchema } from './ids.ts';

const byCopy = z.object({ copyId: copyIdSchema });

/**
 * Copies between this computer and a cluster. They run in the daemon, whoever asked may go away. A copy that is asked
 * for again goes on where the last one stopped: what has arrived is not sent twice.
 */
export const copies = {
  start: oc
    .route({
      method: 'POST',
      path: '/clusters/{clusterId}/copies',
      summary: 'Send or fetch files and folders',
    })
    .input(copyRequestSchema)
    .output(copySchema),
  list: oc
    .route({ method: 'GET', path: '/copies', summary: 'Copies under way, and the last that ended' })
    .input(z.object({ clusterId: clusterIdSchema.optional() }))
    .output(z.array(copySchema)),
  /** How it is now; the account has names once it is over. */
  get: oc.route({ method: 'GET', path: '/copies/{copyId}' }).input(byCopy).output(copySchema),
  /** What to do with files that stand in the way. @throws CONFLICT when the copy does not ask. */
  answer: oc
    .route({ method: 'POST', path: '/copies/{copyId}/answer' })
    .input(byCopy.extend({ conflict: conflictSchema }))
    .output(copySchema),
  /** Ends it; what has arrived stays. A copy that is over stays as it is. */
  cancel: oc.route({ method: 'POST', path: '/copies/{copyId}/cancel' }).input(byCopy).output(copySchema),
  /** All names of one outcome, in pages. */
  names: oc
    .route({ method: 'GET', path: '/copies/{copyId}/names' })
    .input(
      byCopy.extend({
        outcome: outcomeSchema,
        after: z.coerce.number().int().min(0).default(0),
        limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
      }),
    )
    .output(copyNamesSchema),
};
