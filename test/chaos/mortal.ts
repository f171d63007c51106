/**
 * A daemon that can be killed at any await. Everything it waits for outside of itself (the store, the market, machines,
 * agents, saving) goes through `Mortal.step`; at a chosen step it dies: before the effect, with the effect under way, or
 * after the effect with the answer lost. What is dead never hears of anything again, and none of its timers fires.
 *
 * These are all the moments that differ: between two steps a daemon changes nothing but its own memory, which dies with
 * it, so a death there is the death after the one or before the other.
 */
import type { Host } from '../../backend-proxy/src/access/host.ts';
import type { AgentPort } from '../../backend-proxy/src/access/links.ts';
import type { Store } from '../../backend-proxy/src/ledger/store.ts';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import type { AccountKeys, Provider } from '../../backend-proxy/src/providers/provider.ts';
import { waysIn } from '../../backend-proxy/test/clusters/ways-in.ts';
import { commitName } from './written.ts';

export interface MortalOptions {
  /** Dies at this point, counted over all; Infinity: never of it. */
  readonly stepsToLive: number;
  /** Dies at this point, when it has passed there so often. */
  readonly aim: { readonly where: string; readonly passes: number } | null;
  /** Whether there are purchases whose end is not written. */
  readonly isUnclear: () => boolean;
  readonly onDeath: (where: string) => void;
  /** Hears of each call. */
  readonly onStep: (name: string) => void;
}

/** Hears what a daemon really asks for. */
export interface Hooks {
  readonly onCreate: (ref: string, mark: string) => void;
  readonly onDestroy: (instanceId: string) => void;
  readonly onKeyRemoved: (keyId: string) => void;
}

const UNHEARD: Hooks = {
  onCreate: () => undefined,
  onDestroy: () => undefined,
  onKeyRemoved: () => undefined,
};

export class Mortal {
  dead = false;
  readonly #options: MortalOptions;
  #stepsLeft: number;
  #passesLeft: number;
  readonly #timers = new Set<Timer>();
  readonly #heirs: (() => void)[] = [];

  constructor(options: MortalOptions) {
    this.#options = options;
    this.#stepsLeft = options.stepsToLive;
    this.#passesLeft = options.aim?.passes ?? 0;
  }

  /** @param where as it stands in the list of deaths: "after create". */
  kill(where: string): void {
    if (!this.dead) {
      this.dead = true;
      this.#timers.forEach(timer => timer.cancel());
      this.#timers.clear();
      this.#options.onDeath(where);
      this.#heirs.forEach(inherit => inherit());
    }
  }

  /** Files that a killed process had open are closed by its system: here by whoever asks for it. */
  afterDeath(inherit: () => void): void {
    this.#heirs.push(inherit);
  }

  #dies(where: string): boolean {
    this.#stepsLeft -= 1;
    if (this.#options.aim?.where === where) {
      this.#passesLeft -= 1;
      if (this.#passesLeft === 0) {
        this.#stepsLeft = 0;
      }
    }
    if (this.#stepsLeft <= 0) {
      this.kill(where);
    }
    return this.dead;
  }

  /** @param dead what one who is dead gets: nothing ever, unless somebody has to clear away what it had open. */
  async step<T>(name: string, run: () => Promise<T>, dead: () => Promise<T> = never): Promise<T> {
    if (this.dead || this.#dies(`before ${name}`)) {
      return dead();
    }
    this.#options.onStep(name);
    const effect = run();
    if (this.#dies(`during ${name}`)) {
      effect.catch(() => undefined);
      return dead();
    }
    let value: T;
    try {
      value = await effect;
    } catch (error) {
      if (this.dead || this.#dies(`after the failure of ${name}`)) {
        return dead();
      }
      throw error;
    }
    return this.dead || this.#dies(`after ${name}`) ? dead() : value;
  }

  /** A look at the network: it decides about money only while a purchase is unclear. */
  #look<T>(name: string, run: () => Promise<T>): Promise<T> {
    return this.step(this.#options.isUnclear() ? `${name} while a purchase is unclear` : name, run);
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
      load: () => this.step('load', () => store.load()),
      commit: change => this.step(commitName(change), () => store.commit(change)),
      eventsOf: (id, afterSeq, limit) => store.eventsOf(id, afterSeq, limit),
      eventsAfter: (position, limit) => store.eventsAfter(position, limit),
      forgottenCost: (fromMs, toMs) => store.forgottenCost(fromMs, toMs),
      trouble: async () => (await store.trouble?.()) ?? null,
      renew: (rows, stamp) => this.step('renew', async () => (await store.renew?.(rows, stamp)) ?? null),
      close: () => store.close(),
    };
  }

  provider(provider: Provider, { onCreate, onDestroy, onKeyRemoved }: Hooks = UNHEARD): Provider {
    const { id, title, kind, verifiedLive, capabilities } = provider;
    return {
      id,
      title,
      kind,
      verifiedLive,
      capabilities,
      login: provider.login,
      offers: signal => this.step('offers', () => provider.offers(signal)),
      create: (request, signal) =>
        this.step('create', () => {
          onCreate(request.ref, provider.markOf?.(request) ?? request.ref);
          return provider.create(request, signal);
        }),
      ...(provider.price === undefined
        ? {}
        : {
            price: (offer, terms, signal) =>
              this.step('price', async () => bought(await provider.price?.(offer, terms, signal))),
          }),
      ...(provider.markOf === undefined
        ? {}
        : { markOf: request => provider.markOf?.(request) ?? request.ref }),
      ...(provider.advance === undefined
        ? {}
        : {
            advance: (instance, request, signal) =>
              this.step('advance', async () => bought(await provider.advance?.(instance, request, signal))),
          }),
      get: (instanceId, signal) => this.#look('get', () => provider.get(instanceId, signal)),
      list: (signal, nextPage) => this.#look('list', () => provider.list(signal, nextPage)),
      destroy: (instanceId, signal) =>
        this.step('destroy', () => {
          onDestroy(instanceId);
          return provider.destroy(instanceId, signal);
        }),
      ...(provider.host === undefined
        ? {}
        : {
            host: async (instance, rank, signal) =>
              this.host(await this.step('host', () => waysIn(provider).host(instance, rank, signal))),
            dial: async (instanceId, rank, address, signal) =>
              this.host(
                await this.step('dial', () => waysIn(provider).dial(instanceId, rank, address, signal)),
              ),
          }),
      ...(provider.letIn === undefined
        ? {}
        : {
            letIn: (instanceId, publicKey, signal) =>
              this.step('letIn', async () => provider.letIn?.(instanceId, publicKey, signal)),
          }),
      ...(provider.accountKeys === undefined
        ? {}
        : { accountKeys: this.#accountKeys(provider.accountKeys, onKeyRemoved) }),
      ...(provider.history === undefined
        ? {}
        : {
            history: (ref, signal, nextPage) =>
              this.step('history', async () => (await provider.history?.(ref, signal, nextPage)) ?? []),
          }),
      ...(provider.buyTime === undefined
        ? {}
        : {
            buyTime: (instanceId, ms, signal) =>
              this.step('buyTime', async () => bought(await provider.buyTime?.(instanceId, ms, signal))),
          }),
      extend: async (instanceId, endAtMs, signal) =>
        this.step('extend', async () => provider.extend?.(instanceId, endAtMs, signal)),
    };
  }

  #accountKeys(keys: AccountKeys, onRemoved: Hooks['onKeyRemoved']): AccountKeys {
    return {
      list: (signal, nextPage) => this.step('keys', () => keys.list(signal, nextPage)),
      add: (name, publicKey, signal) => this.step('addKey', () => keys.add(name, publicKey, signal)),
      remove: (keyId, signal) =>
        this.step('removeKey', () => {
          onRemoved(keyId);
          return keys.remove(keyId, signal);
        }),
    };
  }

  host(host: Host): Host {
    const knock = host.way?.knock?.bind(host.way);
    return {
      ...(host.way === undefined
        ? {}
        : {
            way: {
              isOpen: host.way.isOpen,
              opened: signal => host.way?.opened(signal) ?? Promise.resolve(),
              ...(knock === undefined ? {} : { knock: signal => this.step('knock', () => knock(signal)) }),
            },
          }),
      address: host.address,
      facts: signal => this.step('facts', () => host.facts(signal)),
      ensurePython: (needs, report, signal) =>
        this.step('ensurePython', () => host.ensurePython(needs, report, signal)),
      startAgent: (start, signal) => this.step('startAgent', () => host.startAgent(start, signal)),
      connect: signal => this.step('connect', () => host.connect(signal)),
      readLog: (name, bytes, signal) => host.readLog(name, bytes, signal),
    };
  }

  /** The way to an agent over a link. */
  agent(agent: AgentPort): AgentPort {
    const statuses = (signal: AbortSignal) => this.#statuses(agent, signal);
    return {
      status: signal => this.step('agent.status', () => agent.status(signal)),
      watch: statuses,
      startEngine: (config, signal) =>
        this.step('agent.startEngine', () => agent.startEngine(config, signal)),
      setWatchdog: (config, signal) =>
        this.step('agent.setWatchdog', () => agent.setWatchdog(config, signal)),
      setEnvironment: (environment, signal) =>
        this.step('agent.setEnvironment', () => agent.setEnvironment(environment, signal)),
      touch: signal => this.step('agent.touch', () => agent.touch(signal)),
      shutDown: (reason, signal) => agent.shutDown(reason, signal),
      interruptKernels: signal => this.step('agent.interruptKernels', () => agent.interruptKernels(signal)),
      allowSsh: (publicKey, signal) => this.step('agent.allowSsh', () => agent.allowSsh(publicKey, signal)),
    };
  }

  async *#statuses(agent: AgentPort, signal: AbortSignal): ReturnType<AgentPort['watch']> {
    const iterator = agent.watch(signal)[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.step('agent.watch', () => iterator.next());
      if (next.done === true) {
        return;
      }
      yield next.value;
    }
  }
}

function bought<T>(instance: T | undefined): T {
  if (instance === undefined) {
    throw new Error('There is no such power.');
  }
  return instance;
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
