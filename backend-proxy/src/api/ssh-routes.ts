/** ssh: how clusters are reached, and the user's own configuration. */
import { checkNode } from './agent-calls.ts';
import { routes } from './implementer.ts';

export const ssh = {
  access: routes.ssh.access.handler(({ context: { parts }, input: { clusterId, nodeIndex } }) => {
    const cluster = parts.clusters.get(clusterId);
    checkNode(cluster, nodeIndex);
    return parts.ssh.access(cluster, nodeIndex);
  }),
  check: routes.ssh.check.handler(({ context: { parts }, input: { clusterId, file } }) =>
    parts.ssh.check(parts.clusters.get(clusterId), file),
  ),
  config: routes.ssh.config.handler(({ context, input }) => context.parts.ssh.config(input.file)),
  include: routes.ssh.include.handler(({ context, input }) => context.parts.ssh.include(input.file)),
  exclude: routes.ssh.exclude.handler(({ context, input }) => context.parts.ssh.exclude(input.file)),
};
