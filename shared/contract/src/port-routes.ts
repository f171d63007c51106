/** The part of the contract about ports of a cluster's machines. */
import { oc } from '@orpc/contract';
import * as z from 'zod';
import { clusterIdSchema } from './ids.ts';
import { clusterPortsSchema, portLinkSchema, portRequestSchema } from './ports.ts';

/**
 * Dashboards and other web pages that programs on a cluster serve. Each is opened on an origin of its own,
 * `<port>-<cluster>-<machine>.localhost`, through the daemon's port; nothing of it is served from the daemon's own origin.
 */
export const ports = {
  /** What programs of the cluster listen on. A node that does not answer is missing, with a sentence. */
  list: oc
    .route({ method: 'GET', path: '/clusters/{clusterId}/ports', summary: 'Ports that programs listen on' })
    .input(z.object({ clusterId: clusterIdSchema }))
    .output(clusterPortsSchema),
  /**
   * An address that opens a port in a browser once: asked for when a person clicks, never before.
   * @throws NOT_FOUND where no program of the cluster listens there.
   */
  link: oc
    .route({
      method: 'POST',
      path: '/clusters/{clusterId}/ports/link',
      summary: 'An address that opens a port in a browser, once',
    })
    .input(portRequestSchema)
    .output(portLinkSchema),
};
