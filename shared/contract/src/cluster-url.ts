/** A cluster as a Jupyter server to programs that know nothing of Hitch. */
import { oc } from '@orpc/contract';
import * as z from 'zod';
import { clusterIdSchema } from './ids.ts';

export const clusterUrlSchema = z.object({
  clusterId: clusterIdSchema,
  /** Such as `http://127.0.0.1:8745/clusters/clu_…/jupyter`; it stays the same while the daemon's port does. */
  url: z.string(),
  /** Opens the kernels, sessions and files of this cluster alone, until the cluster ends or it is taken back. */
  token: z.string(),
});
export type ClusterUrl = z.infer<typeof clusterUrlSchema>;

const byCluster = z.object({ clusterId: clusterIdSchema });

export const clusterUrls = {
  give: oc
    .route({
      method: 'POST',
      path: '/clusters/{clusterId}/url',
      summary:
        'The address and token that make a cluster a Jupyter server to other programs: the same ones each time',
    })
    .input(byCluster)
    .output(clusterUrlSchema),
  revoke: oc
    .route({
      method: 'DELETE',
      path: '/clusters/{clusterId}/url',
      summary: 'Takes the token back; open sockets end',
    })
    .input(byCluster)
    .output(z.object({ wasGiven: z.boolean() })),
};
