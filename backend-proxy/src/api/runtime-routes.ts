/** Kernels, terminals and files: asked of the cluster's agent. */
import { aboutPath, eachOnce, entriesIn, entryAt, executionsOf } from '../access/asked-for.ts';
import { mustBe } from '../access/not-understood.ts';
import { routes } from './implementer.ts';

export const kernels = {
  list: routes.kernels.list.handler(({ context, input, signal }) =>
    context.agents.list(
      input.clusterId,
      'kernels',
      async (call, options) =>
        eachOnce('kernel', (await call.status(undefined, options)).kernels, ({ id }) => id),
      signal,
      kernel => ({ ...kernel, state: 'unknown' as const }),
    ),
  ),
  executions: routes.kernels.executions.handler(({ context, input: { clusterId, ...query }, signal }) =>
    context.agents.call(
      clusterId,
      async (call, options) => executionsOf(query, await call.kernels.executions(query, options)),
      signal,
    ),
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
      async (call, options) =>
        eachOnce('terminal', await call.terminals.list(undefined, options), ({ name }) => name),
      signal,
    ),
  ),
  create: routes.terminals.create.handler(({ context, input: { clusterId, ...terminal }, signal }) =>
    context.agents.call(
      clusterId,
      async (call, options) => {
        const made = await call.terminals.create(terminal, options);
        mustBe(
          terminal.name === undefined || made.name === terminal.name,
          'another terminal than was asked for',
        );
        return made;
      },
      signal,
    ),
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
      async (call, options) => entriesIn(path, await call.files.list({ path }, options)),
      signal,
    ),
  ),
  stat: routes.files.stat.handler(({ context, input: { clusterId, path }, signal }) =>
    context.agents.call(
      clusterId,
      async (call, options) => entryAt(path, await call.files.stat({ path }, options)),
      signal,
    ),
  ),
  checksum: routes.files.checksum.handler(({ context, input: { clusterId, path }, signal }) =>
    context.agents.call(
      clusterId,
      async (call, options) => aboutPath(path, await call.files.checksum({ path }, options)),
      signal,
    ),
  ),
  uploadState: routes.files.uploadState.handler(({ context, input: { clusterId, path }, signal }) =>
    context.agents.call(
      clusterId,
      async (call, options) => aboutPath(path, await call.files.uploadState({ path }, options)),
      signal,
    ),
  ),
  makeFolder: routes.files.makeFolder.handler(({ context, input: { clusterId, path }, signal }) =>
    context.agents.call(
      clusterId,
      async (call, options) => entryAt(path, await call.files.makeFolder({ path }, options)),
      signal,
    ),
  ),
  move: routes.files.move.handler(({ context, input: { clusterId, from, to }, signal }) =>
    context.agents.call(
      clusterId,
      async (call, options) => entryAt(to, await call.files.move({ from, to }, options)),
      signal,
    ),
  ),
  remove: routes.files.remove.handler(({ context, input: { clusterId, path, recursive }, signal }) =>
    context.agents.call(
      clusterId,
      (call, options) => call.files.remove({ path, recursive }, options),
      signal,
    ),
  ),
};
