/** Kernels, terminals and files: asked of the cluster's agent. */
import { routes } from './implementer.ts';

export const kernels = {
  list: routes.kernels.list.handler(({ context, input, signal }) =>
    context.agents.list(
      input.clusterId,
      'kernels',
      async (call, options) => (await call.status(undefined, options)).kernels,
      signal,
      kernel => ({ ...kernel, state: 'unknown' as const }),
    ),
  ),
  executions: routes.kernels.executions.handler(({ context, input: { clusterId, ...query }, signal }) =>
    context.agents.call(clusterId, (call, options) => call.kernels.executions(query, options), signal),
  ),
  cursor: routes.kernels.cursor.handler(({ context, input: { clusterId, kernelId }, signal }) =>
    context.agents.call(clusterId, (call, options) => call.kernels.cursor({ kernelId }, options), signal),
  ),
};

export const terminals = {
  list: routes.terminals.list.handler(({ context, input, signal }) =>
    context.agents.list(
      input.clusterId,
      'terminals',
      (call, options) => call.terminals.list(undefined, options),
      signal,
    ),
  ),
  create: routes.terminals.create.handler(({ context, input: { clusterId, ...terminal }, signal }) =>
    context.agents.call(clusterId, (call, options) => call.terminals.create(terminal, options), signal),
  ),
  remove: routes.terminals.remove.handler(({ context, input: { clusterId, name }, signal }) =>
    context.agents.call(clusterId, (call, options) => call.terminals.remove({ name }, options), signal),
  ),
};

export const files = {
  list: routes.files.list.handler(({ context, input: { clusterId, path }, signal }) =>
    context.agents.list(
      clusterId,
      `files ${path}`,
      (call, options) => call.files.list({ path }, options),
      signal,
    ),
  ),
  stat: routes.files.stat.handler(({ context, input: { clusterId, path }, signal }) =>
    context.agents.call(clusterId, (call, options) => call.files.stat({ path }, options), signal),
  ),
  checksum: routes.files.checksum.handler(({ context, input: { clusterId, path }, signal }) =>
    context.agents.call(clusterId, (call, options) => call.files.checksum({ path }, options), signal),
  ),
  uploadState: routes.files.uploadState.handler(({ context, input: { clusterId, path }, signal }) =>
    context.agents.call(clusterId, (call, options) => call.files.uploadState({ path }, options), signal),
  ),
  makeFolder: routes.files.makeFolder.handler(({ context, input: { clusterId, path }, signal }) =>
    context.agents.call(clusterId, (call, options) => call.files.makeFolder({ path }, options), signal),
  ),
  move: routes.files.move.handler(({ context, input: { clusterId, from, to }, signal }) =>
    context.agents.call(clusterId, (call, options) => call.files.move({ from, to }, options), signal),
  ),
  remove: routes.files.remove.handler(({ context, input: { clusterId, path, recursive }, signal }) =>
    context.agents.call(
      clusterId,
      (call, options) => call.files.remove({ path, recursive }, options),
      signal,
    ),
  ),
};
