/** Ports of a cluster's machines: what listens there, and an address for a browser. */
import {
  type ClusterId,
  type ClusterPort,
  type ClusterPorts,
  HitchError,
  type NodePorts,
} from '@hitch/contract';
import { eachOnce } from '../access/asked-for.ts';
import { machineOf, portLabel } from '../access/ports/port-host.ts';
import { agentFailure, checkNode } from './agent-calls.ts';
import { type ApiContext, routes } from './implementer.ts';

/** A list is on somebody's screen. */
const LIST_WITHIN_MS = 8_000;

export const ports = {
  list: routes.ports.list.handler(async ({ context, input, signal }): Promise<ClusterPorts> => {
    const cluster = context.parts.clusters.get(input.clusterId);
    // Says in its own words why there is nothing to ask where no machine is up.
    context.agents.link(cluster.id);
    const all = await Promise.all(
      cluster.nodes.map(async ({ index }) => {
        try {
          const { ports: said, more } = await portsOf(context, input.clusterId, index, signal);
          const missing = `${more.toString()} more ports of node ${index.toString()} are not listed.`;
          const found: ClusterPort[] = said.map(port => ({ ...port, nodeIndex: index }));
          return { found, missing: more > 0 ? [missing] : [] };
        } catch (error) {
          const why = agentFailure(error, cluster.name).message;
          return { found: [], missing: [`Node ${index.toString()}: ${why}`] };
        }
      }),
    );
    return { ports: all.flatMap(({ found }) => found), missing: all.flatMap(({ missing }) => missing) };
  }),
  link: routes.ports.link.handler(
    async ({ context, input: { clusterId, nodeIndex, port, path }, signal }) => {
      const cluster = context.parts.clusters.get(clusterId);
      checkNode(cluster, nodeIndex);
      const { ports: listed, more } = await portsOf(context, clusterId, nodeIndex, signal);
      if (more === 0 && !listed.some(entry => entry.port === port)) {
        throw new HitchError(
          'NOT_FOUND',
          `No program of ${cluster.name} listens on port ${port.toString()}${cluster.nodes.length > 1 ? ` of node ${nodeIndex.toString()}` : ''}.`,
          { field: 'port', next: `Start it there first. “hitch ports ${cluster.name}” lists what there is.` },
        );
      }
      const machine = machineOf(context.agents.link(clusterId, nodeIndex));
      const isRay = listed.some(entry => entry.port === port && entry.known === 'ray');
      return context.parts.ports.links.link(
        { clusterId, nodeIndex, port, isRay, label: portLabel(port, cluster.name, machine) },
        path,
      );
    },
  ),
};

/** @throws HitchError */
async function portsOf(
  { agents }: Pick<ApiContext, 'agents'>,
  clusterId: ClusterId,
  nodeIndex: number,
  signal: AbortSignal | undefined,
): Promise<NodePorts> {
  const said = await agents.call(
    clusterId,
    (call, options) => call.ports(undefined, options),
    signal,
    LIST_WITHIN_MS,
    nodeIndex,
  );
  eachOnce('port', said.ports, ({ port }) => port.toString());
  return said;
}
