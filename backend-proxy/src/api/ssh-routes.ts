/** ssh: how clusters are reached, and the user's own configuration. */
import { checkNode } from './agent-calls.ts';
import { refuseFromPages, refusePages, routes } from './implementer.ts';

export const ssh = {
  access: routes.ssh.access.handler(({ context: { parts }, input: { clusterId, nodeIndex } }) => {
    const cluster = parts.clusters.get(clusterId);
    checkNode(cluster, nodeIndex);
    return parts.ssh.access(cluster, nodeIndex);
  }),
  check: routes.ssh.check.handler(({ context, input: { clusterId, file } }) => {
    refuseFromPages(context, 'file', file);
    return context.parts.ssh.check(context.parts.clusters.get(clusterId), file);
  }),
  config: routes.ssh.config.handler(({ context, input: { file } }) => {
    refuseFromPages(context, 'file', file);
    return context.parts.ssh.config(file);
  }),
  include: routes.ssh.include.handler(({ context, input: { file } }) => {
    refusePages(context, 'change the configuration of ssh', 'Run “hitch ssh-config”.');
    return context.parts.ssh.include(file);
  }),
  exclude: routes.ssh.exclude.handler(({ context, input: { file } }) => {
    refusePages(context, 'change the configuration of ssh', 'Run “hitch ssh-config”.');
    return context.parts.ssh.exclude(file);
  }),
};
