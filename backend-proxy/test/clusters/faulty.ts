/** Practice in which something goes wrong, and what must hold at the end of every story. */
import assert from 'node:assert/strict';
import { type AgentStatus, type Cluster, parseMicroUsd } from '@hitch/contract';
import type * as z from 'zod';
import { faultPlanSchema, type faultRuleSchema } from '../../src/providers/sandbox/faults.ts';
import type { Host } from '../../src/access/host.ts';
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
    credentials: () => provider.credentials(),
    offers: signal => provider.offers(signal),
    create: (order, signal) => provider.create(order, signal),
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
 * Machines whose agents cannot be reached while `silent` answers true; the network answers as ever.
 * @param said what their statuses say instead.
 */
export function mute(
  provider: Provider,
  silent: () => boolean,
  said: (status: AgentStatus) => AgentStatus = status => status,
): Provider {
  const hear = <T>(say: () => Promise<T>): Promise<T> =>
    silent() ? Promise.reject(new Error('connection refused')) : say();
  const muted = (host: Host): Host => {
    const agent = host.inProcessAgent;
    assert.ok(agent !== undefined);
    return {
      address: host.address,
      facts: at => host.facts(at),
      ensurePython: (needs, report, at) => host.ensurePython(needs, report, at),
      startAgent: (start, at) => hear(() => host.startAgent(start, at)),
      connect: at => host.connect(at),
      readLog: (name, bytes, at) => host.readLog(name, bytes, at),
      inProcessAgent: {
        status: () => hear(async () => said(await agent.status())),
        startEngine: config => hear(() => agent.startEngine(config)),
        setWatchdog: config => hear(() => agent.setWatchdog(config)),
        touch: () => hear(() => agent.touch()),
        shutDown: reason => hear(() => agent.shutDown(reason)),
      },
    };
  };
  return wrap(provider, {
    host: async (instance, rank, signal) => muted(await waysIn(provider).host(instance, rank, signal)),
    dial: async (id, rank, address, signal) => muted(await waysIn(provider).dial(id, rank, address, signal)),
  });
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
