/** SSH to clusters: how to reach them, and the user's ssh configuration. */
import { routes } from './implementer.ts';

export const ssh = {
  access: routes.ssh.access.handler(({ context, input }) => context.parts.ssh.access(input.clusterId)),
  check: routes.ssh.check.handler(({ context, input }) =>
    context.parts.ssh.check(input.clusterId, input.file),
  ),
  config: routes.ssh.config.handler(({ context, input }) => context.parts.ssh.config(input.file)),
  include: routes.ssh.include.handler(({ context, input }) => context.parts.ssh.include(input.file)),
  exclude: routes.ssh.exclude.handler(({ context, input }) => context.parts.ssh.exclude(input.file)),
};
