/** How time passes in a run: the clock moves only once nothing is under way, with a daemon that dies and comes back. */
import { HitchError } from '@hitch/contract';
import type { VirtualClock } from '@hitch/platform/src/clock.ts';
import { turn } from '../../backend-proxy/test/clusters/turn.ts';
import type { Daemons } from './daemons.ts';

export type Service = NonNullable<Daemons['clusters']>['service'];

export interface PassingOptions {
  readonly clock: VirtualClock;
  readonly daemons: Daemons;
  /** A daemon begins. */
  readonly onBegin: (nowMs: number) => void;
  /** Time has moved. */
  readonly onLook: (nowMs: number) => void;
}

export class Passing {
  readonly #options: PassingOptions;

  constructor(options: PassingOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { clock, daemons, onBegin } = this.#options;
    onBegin(clock.now());
    await daemons.start();
  }

  async revive(): Promise<void> {
    const { clock, daemons, onBegin } = this.#options;
    if (daemons.isDead) {
      daemons.endElders();
      await daemons.revive();
      onBegin(clock.now());
    }
  }

  /** Lets so much time pass, with a daemon that dies and comes back. */
  async pass(ms: number): Promise<void> {
    const { clock, onLook } = this.#options;
    const untilMs = clock.now() + ms;
    while (clock.now() < untilMs) {
      await this.revive();
      const next = clock.nextTimerAt();
      if (next === null || next > untilMs) {
        // Time may have run past it while there was no daemon.
        clock.jump(Math.max(0, untilMs - clock.now()));
      } else {
        clock.step();
      }
      await turn();
      onLook(clock.now());
    }
  }

  /** A refusal with a sentence is an answer; anything else is a defect. A dead daemon does not answer at all. */
  async attempt(act: () => Promise<unknown>): Promise<void> {
    const { clock, daemons } = this.#options;
    const { mortal } = daemons;
    let over = false;
    const done = act().then(
      () => {
        over = true;
      },
      (error: unknown) => {
        over = true;
        if (!(error instanceof HitchError)) {
          throw error;
        }
      },
    );
    for (let steps = 0; !over && mortal?.dead === false && steps < 100_000; steps++) {
      await turn();
      if (!over && !mortal.dead) {
        clock.step();
      }
    }
    if (over) {
      await done;
    } else {
      done.catch(() => undefined);
    }
  }

  /** The same for each cluster that there is. */
  async each(act: (service: Service, id: Parameters<Service['get']>[0]) => Promise<unknown>): Promise<void> {
    const service = this.#options.daemons.clusters?.service;
    for (const { id } of service?.list() ?? []) {
      await this.attempt(async () => (service === undefined ? undefined : act(service, id)));
    }
  }
}
