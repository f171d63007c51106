/** Networks as they differ, and networks that answer what makes no sense. */
import { type Random, pick } from '@hitch/platform/src/random.ts';
import { type Instance, type Provider, ProviderError } from '../../backend-proxy/src/providers/provider.ts';
import { NETWORK_PAUSE_LONGEST_MS } from '../../backend-proxy/src/clusters/limits.ts';
import { waysIn } from '../../backend-proxy/test/clusters/ways-in.ts';
import type { Elsewhere, NetworkPlan } from './plan.ts';

export interface NetworkOptions {
  readonly plan: NetworkPlan;
  readonly random: Random;
  /** Machines of others in the same account. */
  readonly strangers: () => readonly Instance[];
  readonly isOver: () => boolean;
  readonly onFault: (name: string) => void;
  /** Told when the network was asked for its list and gave none, and how long it asks to wait. */
  readonly onListFailed: (retryAfterMs: number) => void;
  /** Told when any call was answered with how long to wait, which holds for the list too. */
  readonly onAskedToWait: (retryAfterMs: number) => void;
}

export function troubledNetwork(provider: Provider, options: NetworkOptions): Provider {
  const { plan, random, strangers, isOver, onFault, onListFailed, onAskedToWait } = options;
  if (!plan.hasRefs) {
    onFault('a network without refs');
  }
  if (!plan.hasHistory) {
    onFault('a network without a history');
  }
  const strikes = (chance: number, name: string): boolean => {
    const does = !isOver() && random.next() < chance;
    if (does) {
      onFault(name);
    }
    return does;
  };
  const checkSense = () => {
    if (strikes(plan.nonsenseChance, 'an error that is no error of ours')) {
      const error = pick(random, nonsense)();
      onAskedToWait(retryAfterOf(error));
      throw error;
    }
  };
  const shown = (instance: Instance): Instance => ({
    ...instance,
    mark: plan.hasRefs ? instance.mark : null,
    message: strikes(plan.wordsChance, 'words without end') ? WORDS : instance.message,
  });
  const { id, title, kind, verifiedLive } = provider;
  const capabilities = plan.hasRefs
    ? provider.capabilities
    : { ...provider.capabilities, refVia: 'none' as const };

  /** What the network says of a purchase that it has made. */
  const answered = (instance: Instance): Instance => {
    const others = plan.hasRefs ? strangers() : [];
    if (others.length > 0 && strikes(plan.mixUpChance, 'an answer about somebody else’s machine')) {
      return pick(random, others);
    }
    if (others.length > 0 && strikes(plan.mixUpChance, 'an error that names somebody else’s machine')) {
      throw new ProviderError('unknownOutcome', 'An error, and a contract.', {
        instanceId: pick(random, others).id,
      });
    }
    return shown(instance);
  };

  return {
    id,
    title,
    kind,
    verifiedLive,
    capabilities,
    login: provider.login,
    offers: signal => provider.offers(signal),
    create: async (request, signal) => {
      checkSense();
      return answered(await provider.create(request, signal));
    },
    ...(provider.price === undefined
      ? {}
      : {
          price: async (offer, terms, signal) => {
            checkSense();
            return (await provider.price?.(offer, terms, signal)) ?? Promise.reject(new Error('no price'));
          },
        }),
    ...(provider.markOf === undefined
      ? {}
      : { markOf: request => provider.markOf?.(request) ?? request.ref }),
    ...(provider.advance === undefined
      ? {}
      : {
          advance: async (instance, request, signal) => {
            checkSense();
            return shown((await provider.advance?.(instance, request, signal)) ?? instance);
          },
        }),
    get: async (instanceId, signal) => {
      checkSense();
      return shown(await provider.get(instanceId, signal));
    },
    list: async signal => {
      try {
        checkSense();
        return plan.hasRefs ? (await provider.list(signal)).map(shown) : [];
      } catch (error) {
        onListFailed(retryAfterOf(error));
        throw error;
      }
    },
    destroy: async (instanceId, signal) => {
      checkSense();
      await provider.destroy(instanceId, signal);
    },
    ...waysIn(provider),
    ...(plan.hasHistory && provider.history !== undefined
      ? { history: async (ref, signal) => ((await provider.history?.(ref, signal)) ?? []).map(shown) }
      : {}),
    ...(provider.buyTime === undefined
      ? {}
      : {
          buyTime: async (instanceId, ms, signal) => {
            checkSense();
            const instance = await provider.buyTime?.(instanceId, ms, signal);
            return shown(instance ?? (await provider.get(instanceId, signal)));
          },
        }),
    extend: async (instanceId, endAtMs, signal) => provider.extend?.(instanceId, endAtMs, signal),
  };
}

/** What makes no sense counts for nothing. */
export function retryAfterOf(error: unknown): number {
  const ms = error instanceof ProviderError ? (error.retryAfterMs ?? 0) : 0;
  return Number.isFinite(ms) ? Math.min(ms, NETWORK_PAUSE_LONGEST_MS) : 0;
}

export interface ElsewhereOptions extends Pick<NetworkOptions, 'isOver' | 'onFault'> {
  readonly trouble: Elsewhere | null;
}

/** Another network, where nothing is rented: all that it could do is to hold up the one where something is. */
export function troubledElsewhere({ trouble, isOver, onFault }: ElsewhereOptions): Provider {
  const nothing = () => Promise.reject(new ProviderError('permanent', 'There is nothing there.'));
  return {
    id: 'elsewhere',
    title: 'Another network',
    kind: 'network',
    verifiedLive: false,
    capabilities: {
      refVia: 'label',
      sshKeys: 'none',
      bootSecret: false,
      privateNetwork: false,
      endsBillingAlone: 'never',
      visibilityDelayMs: 0,
    },
    login: null,
    offers: () => Promise.resolve([]),
    create: nothing,
    get: nothing,
    destroy: nothing,
    host: nothing,
    dial: nothing,
    list: () => {
      const now = isOver() ? null : trouble;
      switch (now) {
        case null:
          return Promise.resolve([]);
        case 'hangs':
          onFault('another network that does not answer');
          return new Promise<never>(() => undefined);
        case 'waits':
          onFault('another network that asks to wait for minutes');
          return Promise.reject(new ProviderError('retryable', 'Later.', { retryAfterMs: 300_000 }));
        case 'refuses':
          onFault('another network that does not take its key');
          return Promise.reject(new ProviderError('auth', 'The key is not valid.'));
      }
    },
  };
}

const WORDS = `\u001b]52;c;aGk=\u0007[2J‮${'so says the network '.repeat(1_000)}`;

const nonsense: readonly (() => unknown)[] = [
  () => new TypeError('Cannot read properties of undefined'),
  () => 'a string',
  () => null,
  () => new ProviderError('unknownOutcome', WORDS, { retryAfterMs: Number.NaN }),
  () => new ProviderError('retryable', 'Later.', { retryAfterMs: 1e15 }),
];
