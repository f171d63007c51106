/** The cluster side's view of an agent, over its typed client. */
import { agentClient, agentError } from './agent-client.ts';
import type { AgentLink } from './agent-link.ts';
import type { AgentPort } from './links.ts';

export function agentPort(link: AgentLink): AgentPort {
  const { call } = agentClient(link);
  return {
    status: signal => call.status(undefined, { signal }),
    async *watch(signal) {
      // A stream whose reader has had enough ends, whatever the signal that it was asked with.
      const over = new AbortController();
      const either = AbortSignal.any([signal, over.signal]);
      try {
        for await (const status of await call.watch(undefined, { signal: either })) {
          yield status;
        }
      } catch (error) {
        throw agentError(error);
      } finally {
        over.abort();
      }
    },
    startEngine: (config, signal) => call.startEngine(config, { signal }),
    setWatchdog: async (config, signal) => {
      await call.setWatchdog(config, { signal });
    },
    touch: async signal => {
      await call.touch(undefined, { signal });
    },
    shutDown: async (reason, signal) => {
      await call.shutDown({ reason }, { signal });
    },
    interruptKernels: async signal => (await call.kernels.interruptAll(undefined, { signal })).interrupted,
    setEnvironment: (environment, signal) => call.setEnvironment(environment, { signal }),
    allowSsh: (publicKey, signal) => call.allowSsh({ publicKey }, { signal }),
  };
}
