/** The cluster side's view of an agent, over its typed client. */
import { HitchError } from '@hitch/contract';
import { agentClient } from './agent-client.ts';
import type { AgentLink } from './agent-link.ts';
import { dump } from './link-http.ts';
import type { AgentPort } from './links.ts';

export function agentPort(link: AgentLink): AgentPort {
  const client = agentClient(link);
  const { call } = client;
  return {
    status: signal => call.status(undefined, { signal }),
    async *watch(signal) {
      for await (const status of await call.watch(undefined, { signal })) {
        yield status;
      }
    },
    startEngine: (config, signal) => call.startEngine(config, { signal }),
    setWatchdog: async (config, signal) => {
      await call.setWatchdog(config, { signal });
    },
    shutDown: async (reason, signal) => {
      await call.shutDown({ reason }, { signal });
    },
    interruptKernels: async signal => (await call.kernels.interruptAll(undefined, { signal })).interrupted,
    allowSsh: (publicKey, signal) => call.allowSsh({ publicKey }, { signal }),
    stat: (path, signal) => call.files.stat({ path }, { signal }),
    list: (path, signal) => call.files.list({ path }, { signal }),
    checksum: (path, signal) => call.files.checksum({ path }, { signal }),
    async *read(path, offset, signal) {
      const answer = await client.raw({
        method: 'GET',
        path: `/raw-files?path=${encodeURIComponent(path)}`,
        headers: offset > 0 ? { range: `bytes=${offset.toString()}-` } : {},
        signal,
      });
      const wanted = offset > 0 ? 206 : 200;
      if (answer.statusCode !== wanted) {
        await dump(answer.body);
        throw new HitchError(
          'UNREACHABLE',
          `The machine answered ${answer.statusCode.toString()} for ${path}.`,
        );
      }
      for await (const chunk of answer.body) {
        if (chunk instanceof Uint8Array) {
          yield chunk;
        }
      }
    },
  };
}
