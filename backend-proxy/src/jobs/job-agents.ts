/** Calls to the agents of the machines that jobs run on. */
import { type ClusterId, HitchError } from '@hitch/contract';
import { type Clock, within } from '@hitch/platform/src/clock.ts';
import { agentClient } from '../access/agent-client.ts';
import type { AgentLink } from '../access/agent-link.ts';
import { type LinkAnswer, sendOverLink } from '../access/link-http.ts';

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

  /**
   * One of an agent's raw routes, whose body the caller reads or destroys.
   * @throws HitchError: UNREACHABLE where the machine does not answer.
   */
  async raw(
    clusterId: ClusterId,
    path: string,
    answerWithinMs: number,
    ended: AbortSignal,
  ): Promise<LinkAnswer> {
    const link = this.#options.linkFor(clusterId);
    const signal = AbortSignal.any([link.closed, this.#options.ending, ended]);
    try {
      return await sendOverLink(link, {
        method: 'GET',
        path,
        signal,
        answerWithinMs,
        silenceMs: ANSWERS_WITHIN_MS,
      });
    } catch (error) {
      throw ended.aborted ? error : noAnswer(error);
    }
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
      throw error instanceof HitchError || ended?.aborted === true ? error : noAnswer(error);
    }
  }
}

const noAnswer = (cause: unknown): HitchError =>
  new HitchError('UNREACHABLE', 'The machine does not answer; its jobs may continue.', { cause });
