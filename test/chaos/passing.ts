/** How time passes in a run: the clock moves only once nothing is under way, with a daemon that dies and comes back. */
import { HitchError } from '@hitch/contract';
import type { VirtualClock } from '@hitch/platform/src/clock.ts';
import { turn } from '../../backend-proxy/test/clusters/turn.ts';
import type { Daemons } from './daemons.ts';

export type Service = NonNullable<Daemons['clusters']>['service'];

export interface PassingOptions {
  readonly clock: VirtualClock;
  /** Of every installation of the run. */
  readonly all: readonly Daemons[];
  /** A daemon begins. */
  readonly onBegin: (daemons: Daemons, nowMs: number) => void;
  /** Time has moved. */
  readonly onLook: (nowMs: number) => void;
}

export class Passing {
  readonly #options: PassingOptions;
  /** When a daemon that died is back. */
  readonly #backAtMs = new Map<Daemons, number>();

  constructor(options: PassingOptions) {
    this.#options = options;
  }

  async start(daemons: Daemons): Promise<void> {
    const { clock, onBegin } = this.#options;
    onBegin(daemons, clock.now());
    await daemons.start();
  }

  /** Daemons that died come back: at once where time passes for nobody else, else when it has passed. */
  async revive(): Promise<void> {
    const { clock, all, onBegin } = this.#options;
    for (const daemons of all.filter(({ isDead }) => isDead)) {
      daemons.endElders();
      const backAtMs = this.#backAtMs.get(daemons) ?? clock.now() + daemons.drawDownMs();
      this.#backAtMs.set(daemons, backAtMs);
      if (all.every(({ isDead }) => isDead)) {
        clock.jump(Math.max(0, backAtMs - clock.now()));
      }
      if (clock.now() >= backAtMs) {
        this.#backAtMs.delete(daemons);
        await daemons.revive();
        onBegin(daemons, clock.now());
      }
    }
  }

  /** Lets so much time pass, with daemons that die and come back. */
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
  async attempt(daemons: Daemons, act: () => Promise<unknown>): Promise<void> {
    const { clock } = this.#options;
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
  async each(
    daemons: Daemons,
    act: (service: Service, id: Parameters<Service['get']>[0]) => Promise<unknown>,
  ): Promise<void> {
    const service = daemons.clusters?.service;
    for (const { id } of service?.list() ?? []) {
      await this.attempt(daemons, async () => (service === undefined ? undefined : act(service, id)));
    }
  }
}
