/**
 * A daemon that can be killed at any await. Everything it waits for (the store, the market, agents, saving) goes
 * through `Mortal.step`; at a chosen step it dies: before the effect, with the effect under way, or after the effect
 * with the answer lost. What is dead never hears of anything again, and none of its timers fires.
 */
import type { Host, InProcessAgent } from '../../backend-proxy/src/access/host.ts';
import type { Clock, Timer } from '../../backend-proxy/src/platform/clock.ts';
import type { Provider } from '../../backend-proxy/src/providers/provider.ts';
import type { Store } from '../../backend-proxy/src/store/store.ts';

export class Mortal {
  dead = false;
  /** Where it died, for the report. */
  diedAt = '';
  readonly #onDeath: () => void;
  #stepsLeft: number;
  readonly #timers = new Set<Timer>();

  /** Dies at the `stepsToLive`-th point; Infinity: never. */
  constructor(stepsToLive: number, onDeath: () => void) {
    this.#stepsLeft = stepsToLive;
    this.#onDeath = onDeath;
  }

  kill(where: string): void {
    if (!this.dead) {
      this.dead = true;
      this.diedAt = where;
      this.#timers.forEach(timer => timer.cancel());
      this.#timers.clear();
      this.#onDeath();
    }
  }

  #dies(where: string): boolean {
    this.#stepsLeft -= 1;
    if (this.#stepsLeft <= 0) {
      this.kill(where);
    }
    return this.dead;
  }

  async step<T>(name: string, run: () => Promise<T>): Promise<T> {
    if (this.dead || this.#dies(`before ${name}`)) {
      return never();
    }
    const effect = run();
    if (this.#dies(`during ${name}`)) {
      effect.catch(() => undefined);
      return never();
    }
    try {
      const value = await effect;
      return this.dead || this.#dies(`after ${name}`) ? await never() : value;
    } catch (error) {
      if (this.dead || this.#dies(`after the failure of ${name}`)) {
        return never();
      }
      throw error;
    }
  }

  clock(clock: Clock): Clock {
    const setTimer = (run: () => void, ms: number): Timer => {
      if (this.dead) {
        return { cancel: () => undefined };
      }
      const timer = clock.setTimer(() => {
        this.#timers.delete(timer);
        if (!this.dead) {
          run();
        }
      }, ms);
      this.#timers.add(timer);
      return {
        cancel: () => {
          this.#timers.delete(timer);
          timer.cancel();
        },
      };
    };
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          const abort = () => {
            timer.cancel();
            reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
          };
          const timer = setTimer(() => {
            signal?.removeEventListener('abort', abort);
            resolve();
          }, ms);
          if (signal?.aborted === true) {
            abort();
          } else {
            signal?.addEventListener('abort', abort, { once: true });
          }
        }),
    };
  }

  store(store: Store): Store {
    return {
      load: () => this.step('store.load', () => store.load()),
      commit: change => this.step('store.commit', () => store.commit(change)),
      eventsOf: (id, afterSeq, limit) => store.eventsOf(id, afterSeq, limit),
      eventsAfter: (position, limit) => store.eventsAfter(position, limit),
      forgottenCost: (fromMs, toMs) => store.forgottenCost(fromMs, toMs),
      close: () => store.close(),
    };
  }

  /** `onCreate` hears the ref of each purchase that is really asked for. */
  provider(provider: Provider, onCreate: (ref: string) => void): Provider {
    const { id, title, kind, verifiedLive, capabilities } = provider;
    return {
      id,
      title,
      kind,
      verifiedLive,
      capabilities,
      credentials: () => provider.credentials(),
      offers: signal => this.step('offers', () => provider.offers(signal)),
      create: (request, signal) =>
        this.step('create', () => {
          onCreate(request.ref);
          return provider.create(request, signal);
        }),
      get: (instanceId, signal) => this.step('get', () => provider.get(instanceId, signal)),
      list: signal => this.step('list', () => provider.list(signal)),
      destroy: (instanceId, signal) => this.step('destroy', () => provider.destroy(instanceId, signal)),
      host: async (instance, signal) =>
        this.#host(await this.step('host', () => provider.host(instance, signal))),
      history: async (ref, signal) =>
        this.step('history', async () => (await provider.history?.(ref, signal)) ?? []),
      extend: async (instanceId, endAtMs, signal) =>
        this.step('extend', async () => provider.extend?.(instanceId, endAtMs, signal)),
    };
  }

  #host(host: Host): Host {
    const agent = host.inProcessAgent;
    return {
      facts: signal => this.step('facts', () => host.facts(signal)),
      ensurePython: (needs, report, signal) =>
        this.step('ensurePython', () => host.ensurePython(needs, report, signal)),
      startAgent: (start, signal) => this.step('startAgent', () => host.startAgent(start, signal)),
      connect: signal => this.step('connect', () => host.connect(signal)),
      readLog: (name, bytes, signal) => host.readLog(name, bytes, signal),
      ...(agent === undefined ? {} : { inProcessAgent: this.#agent(agent) }),
    };
  }

  #agent(agent: InProcessAgent): InProcessAgent {
    return {
      status: () => this.step('agent.status', () => agent.status()),
      startEngine: config => this.step('agent.startEngine', () => agent.startEngine(config)),
      setWatchdog: config => this.step('agent.setWatchdog', () => agent.setWatchdog(config)),
      shutDown: reason => this.step('agent.shutDown', () => agent.shutDown(reason)),
    };
  }
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
