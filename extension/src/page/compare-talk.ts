/** The extension's half of the talk with a page that shows two jobs beside each other. Knows no editor. */
import type { HitchClient } from '@hitch/contract';
import { jobIdSchema } from '@hitch/contract/src/ids.ts';
import { gatherTwo } from '@hitch/contract/src/job-gather.ts';
import { sentence } from '../sentence.ts';
import { fromPageSchema, type ToPage } from './messages.ts';

export interface CompareTalkDeps {
  readonly client: () => HitchClient;
  readonly post: (message: ToPage) => void;
  readonly report: (problem: string, error: unknown) => void;
  readonly nowMs: () => number;
}

export class CompareTalk {
  readonly #deps: CompareTalkDeps;
  readonly #jobIds: readonly [string, string];

  constructor(deps: CompareTalkDeps, jobIds: readonly [string, string]) {
    this.#deps = deps;
    this.#jobIds = jobIds;
  }

  dispose(): void {
    // Nothing is asked but what is answered once.
  }

  /** Asked for when it is opened, and each time a person comes back to it: figures of a job that runs move on. */
  refresh(): void {
    void this.#show();
  }

  /** Whatever a page says is a stranger's until it is read. */
  take(said: unknown): void {
    const { data: message, error } = fromPageSchema.safeParse(said);
    if (message === undefined) {
      this.#deps.report('A page sent a message that is not supported', error);
    } else if (message.kind === 'ready') {
      this.refresh();
    }
  }

  async #show(): Promise<void> {
    const { client, post, nowMs } = this.#deps;
    try {
      const [one, other] = [jobIdSchema.parse(this.#jobIds[0]), jobIdSchema.parse(this.#jobIds[1])];
      post({ kind: 'compare', jobs: await gatherTwo(client().api, [one, other], nowMs()), problem: null });
    } catch (error) {
      post({ kind: 'compare', jobs: null, problem: sentence(error) });
    }
  }
}
