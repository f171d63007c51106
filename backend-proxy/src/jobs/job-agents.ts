/** Calls to the agents of the machines that jobs run on. */
import { type ClusterId, HitchError } from '@hitch/contract';
import { type Clock, within } from '@hitch/platform/src/clock.ts';
import { agentClient } from '../access/agent-client.ts';
import type { AgentLink } from '../access/agent-link.ts';

export interface JobAgentsOptions {
  readonly clock: Clock;
  /** The way to a cluster's head. @throws HitchError: UNREACHABLE while it may come back. */
  readonly linkFor: (clusterId: ClusterId) => AgentLink;
  /** The daemon ends. */
  readonly ending: AbortSignal;
}

export const ANSWERS_WITHIN_MS = 15_000;

export class JobAgents {
  readonly #options: JobAgentsOptions;

  constructor(options: JobAgentsOptions) {
    this.#options = options;
  }

  /** @throws HitchError: UNREACHABLE where the machine does not answer. */
  async call<T>(
    clusterId: ClusterId,
    run: (call: ReturnType<typeof agentClient>['call'], options: { signal: AbortSignal }) => Promise<T>,
    withinMs = ANSWERS_WITHIN_MS,
    ended?: AbortSignal,
  ): Promise<T> {
    const { clock, linkFor, ending } = this.#options;
    const link = linkFor(clusterId);
    const signals = [link.closed, ending, ...(ended === undefined ? [] : [ended])];
    try {
      return await within(clock, withinMs, late =>
        run(agentClient(link).call, { signal: AbortSignal.any([late, ...signals]) }),
      );
    } catch (error) {
      throw error instanceof HitchError || ended?.aborted === true
        ? error
        : new HitchError('UNREACHABLE', 'The machine does not answer; its jobs may continue.', {
            cause: error,
          });
    }
  }
}
