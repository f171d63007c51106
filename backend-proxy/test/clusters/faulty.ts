/** Practice in which something goes wrong, and what must hold at the end of every story. */
import assert from 'node:assert/strict';
import { type AgentStatus, type Cluster, parseMicroUsd } from '@hitch/contract';
import type * as z from 'zod';
import { faultPlanSchema, type faultRuleSchema } from '../../src/providers/sandbox/faults.ts';
import type { AgentPort } from '../../src/access/links.ts';
import type { Instance, Provider } from '../../src/providers/provider.ts';
import { waysIn } from './ways-in.ts';
import { Practice } from './practice.ts';

/** A market where this goes wrong; which purchases it strikes is drawn from the seed. */
export function faulty(rule: z.input<typeof faultRuleSchema>, seed = 1): Promise<Practice> {
  return new Practice({ seed, faults: faultPlanSchema.parse({ seed, rules: [rule] }) }).open();
}

export function states({ nodes }: Cluster): string[] {
  return nodes.flatMap(({ attempts }) => attempts.map(({ state }) => state));
}

/** Waits for the end and checks what must hold after every story: nothing bills, and the meter is the market's. */
export async function endsClean(practice: Practice, cluster: Cluster): Promise<Cluster> {
  await practice.pass(practice.service.stop(cluster.id, { skipSave: true }));
  await practice.until(
    () => practice.service.get(cluster.id).conditions.cleanup.status === 'yes',
    4 * 3_600_000,
  );
  const over = practice.service.get(cluster.id);
  assert.equal(practice.billing().length, 0);
  assert.equal(parseMicroUsd(over.usage.accruedMicroUsd), practice.billed(cluster.id));
  practice.close();
  return over;
}

/** The provider, with some calls in other hands. */
export function wrap(provider: Provider, other: Partial<Provider>): Provider {
  const { id, title, kind, verifiedLive, capabilities } = provider;
  return {
    id,
    title,
    kind,
    verifiedLive,
    capabilities,
    login: provider.login,
    offers: signal => provider.offers(signal),
    create: (order, signal) => provider.create(order, signal),
    ...(provider.price === undefined
      ? {}
      : {
          price: async (offer, terms, at) => (await provider.price?.(offer, terms, at)) ?? assert.fail(),
        }),
    ...(provider.markOf === undefined
      ? {}
      : { markOf: request => provider.markOf?.(request) ?? request.ref }),
    ...(provider.advance === undefined
      ? {}
      : {
          advance: async (instance, request, at) =>
            (await provider.advance?.(instance, request, at)) ?? instance,
        }),
    get: (instanceId, signal) => provider.get(instanceId, signal),
    list: signal => provider.list(signal),
    destroy: (instanceId, signal) => provider.destroy(instanceId, signal),
    ...waysIn(provider),
    ...other,
  };
}

/**
 * Agents that cannot be reached while `silent` answers true for the address; the network answers as ever.
 * @param said what their statuses say instead.
 */
export function mute(
  silent: (at: string) => boolean,
  said: (status: AgentStatus) => AgentStatus = status => status,
): (agent: AgentPort, at: string) => AgentPort {
  return (agent, at) => {
    const hear = <T>(say: () => Promise<T>): Promise<T> =>
      silent(at) ? Promise.reject(new Error('connection refused')) : say();
    return {
      status: signal => hear(async () => said(await agent.status(signal))),
      async *watch(signal) {
        for await (const status of agent.watch(signal)) {
          yield await hear(() => Promise.resolve(said(status)));
        }
      },
      startEngine: (config, signal) => hear(() => agent.startEngine(config, signal)),
      setWatchdog: (config, signal) => hear(() => agent.setWatchdog(config, signal)),
      setEnvironment: (environment, signal) => hear(() => agent.setEnvironment(environment, signal)),
      touch: signal => hear(() => agent.touch(signal)),
      shutDown: (reason, signal) => hear(() => agent.shutDown(reason, signal)),
      interruptKernels: signal => hear(() => agent.interruptKernels(signal)),
      allowSsh: (publicKey, signal) => hear(() => agent.allowSsh(publicKey, signal)),
    };
  };
}

/** A market whose first purchase goes as told; `buy` really buys. */
export function firstCreate(answer: (buy: () => Promise<Instance>) => Promise<Instance>): Promise<Practice> {
  let asked = false;
  const wrapProvider = (provider: Provider) =>
    wrap(provider, {
      create: (order, signal) => {
        const first = !asked;
        asked = true;
        return first ? answer(() => provider.create(order, signal)) : provider.create(order, signal);
      },
    });
  return new Practice({ wrapProvider }).open();
}
