/** The agent's contract, handler by handler. Each only calls the part that knows. */
import { OpenAPIHandler } from '@orpc/openapi/node';
import { implement, onError } from '@orpc/server';
import { agentContract } from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';
import type { Agent } from './agent.ts';
import { asOrpcError } from './http/api-errors.ts';
import type { Route } from './http/server.ts';
import { checkTerminalName } from './jupyter/terminals.ts';

function agentRouter(agent: Agent) {
  const os = implement(agentContract);
  return os.router({
    status: os.status.handler(() => agent.feed.read()),
    watch: os.watch.handler(({ signal }) => {
      agent.sampler.watched();
      return agent.feed.watch(signal ?? new AbortController().signal);
    }),
    use: os.use.handler(({ input }) => agent.use.sampler.page(input)),
    startEngine: os.startEngine.handler(async ({ input }) => {
      await agent.startEngine(input);
      return agent.feed.read();
    }),
    setWatchdog: os.setWatchdog.handler(({ input }) => agent.watchdog.configure(input)),
    setEnvironment: os.setEnvironment.handler(({ input }) => agent.setEnvironment(input)),
    shutDown: os.shutDown.handler(({ input }) => {
      void agent.shutDown(input.reason);
      return {};
    }),
    kernels: {
      interruptAll: os.kernels.interruptAll.handler(async () => ({
        interrupted: await agent.interruptKernels(),
      })),
      executions: os.kernels.executions.handler(({ input: { kernelId, ...query } }) =>
        agent.notebook().hub.executions(kernelId, query),
      ),
      cursor: os.kernels.cursor.handler(({ input }) => agent.notebook().hub.cursor(input.kernelId)),
    },
    terminals: {
      list: os.terminals.list.handler(() => agent.notebook().jupyter.client.terminals()),
      create: os.terminals.create.handler(({ input }) =>
        agent
          .notebook()
          .jupyter.client.createTerminal(
            input.name === undefined ? undefined : checkTerminalName(input.name),
          ),
      ),
      remove: os.terminals.remove.handler(async ({ input }) => {
        await agent.notebook().jupyter.client.removeTerminal(checkTerminalName(input.name));
        return {};
      }),
    },
    jobs: {
      start: os.jobs.start.handler(({ input: { jobId, ...asked } }) =>
        agent.jobs.start({ id: jobId, ...asked }),
      ),
      list: os.jobs.list.handler(() => agent.jobs.list()),
      get: os.jobs.get.handler(async ({ input }) => (await agent.jobs.get(input.jobId)).state()),
      stop: os.jobs.stop.handler(({ input }) => agent.jobs.stop(input.jobId)),
      endAll: os.jobs.endAll.handler(async () => {
        await agent.endJobs();
        return {};
      }),
      ofRay: os.jobs.ofRay.handler(({ signal }) =>
        agent.ray.submitted(signal ?? new AbortController().signal),
      ),
      log: os.jobs.log.handler(async ({ input: { jobId, ...query }, signal }) =>
        (await agent.jobs.get(jobId)).log(query, signal ?? new AbortController().signal),
      ),
      metrics: os.jobs.metrics.handler(({ input: { jobId, ...query } }) => agent.jobs.metrics(jobId, query)),
      search: os.jobs.search.handler(async ({ input: { jobId, ...query } }) =>
        (await agent.jobs.get(jobId)).search(query),
      ),
    },
    allowSsh: os.allowSsh.handler(({ input }) => agent.ssh.allow(input.publicKey)),
    sshTicket: os.sshTicket.handler(() => ({ ticket: agent.ssh.tickets.issue() })),
    ports: os.ports.handler(() => agent.ports.list()),
    touch: os.touch.handler(() => {
      agent.watchdog.touch();
      return {};
    }),
    files: {
      list: os.files.list.handler(({ input }) => agent.files.list(input.path)),
      stat: os.files.stat.handler(({ input }) => agent.files.stat(input.path)),
      checksum: os.files.checksum.handler(({ input }) => agent.files.checksum(input.path)),
      uploadState: os.files.uploadState.handler(({ input }) => agent.uploads.state(input.path)),
      makeFolder: os.files.makeFolder.handler(({ input }) => agent.files.makeFolder(input.path)),
      move: os.files.move.handler(({ input }) => agent.files.move(input.from, input.to)),
      remove: os.files.remove.handler(async ({ input }) => {
        await agent.files.remove(input.path, input.recursive);
        return {};
      }),
    },
  });
}

/** Answers everything of the contract; leaves the rest to the other routes. */
export function apiRoute(agent: Agent): Route {
  const handler = new OpenAPIHandler(agentRouter(agent), {
    clientInterceptors: [
      onError(error => {
        const plain = asOrpcError(error);
        // What the caller got wrong is that, whatever the disk is like.
        const known = plain.status < 500 ? plain : asOrpcError(agent.room.explain(error));
        if (known.code === 'INTERNAL') {
          agent.log.error('A call failed', { error: errorText(error) });
        }
        throw known;
      }),
    ],
    customErrorResponseBodyEncoder: error => asOrpcError(error).data,
  });
  return async (_url, request, response) =>
    (await handler.handle(request, response, { context: {} })).matched;
}
