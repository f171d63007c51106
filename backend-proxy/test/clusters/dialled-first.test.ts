/** A machine that runs is reached whatever its network's API does: where it was reached last is on its record. */
import assert from 'node:assert/strict';
import type { Cluster } from '@hitch/contract';
import type { Host, MachineAddress } from '../../src/access/host.ts';
import { type Provider, ProviderError } from '../../src/providers/provider.ts';
import { endsClean, wrap } from './faulty.ts';
import { waysIn } from './ways-in.ts';
import { Practice } from './practice.ts';

/** The market with an API that is down while `isDown`: machines run, and whoever knows where can reach them. */
function failing(provider: Provider, isDown: () => boolean): Provider {
  const ask = <T>(run: () => Promise<T>): Promise<T> =>
    isDown() ? Promise.reject(new ProviderError('retryable', 'The market refuses connections.')) : run();
  return wrap(provider, {
    get: (id, signal) => ask(() => provider.get(id, signal)),
    list: signal => ask(() => provider.list(signal)),
    host: (instance, rank, signal) => ask(() => waysIn(provider).host(instance, rank, signal)),
    create: (request, signal) => ask(() => provider.create(request, signal)),
    destroy: (id, signal) => ask(() => provider.destroy(id, signal)),
  });
}

async function wasEver(practice: Practice, { id }: Cluster, phase: string): Promise<boolean> {
  const events = await practice.pass(practice.service.events(id, 0, 1000));
  return events.some(({ kind, value }) => kind === 'node' && value === phase);
}

const addressOf = (at: string, hostKey: string): MachineAddress => ({
  at,
  hostKey,
  ssh: null,
  proof: null,
  privateAddress: null,
});

const at = (host: Host, address: MachineAddress): Host => ({
  address,
  facts: signal => host.facts(signal),
  ensurePython: (needs, report, signal) => host.ensurePython(needs, report, signal),
  startAgent: (agent, signal) => host.startAgent(agent, signal),
  connect: signal => host.connect(signal),
  readLog: (name, bytes, signal) => host.readLog(name, bytes, signal),
});

describe('a machine whose network is down', () => {
  it('is reached by the next daemon at once', async () => {
    let down = false;
    let asked = 0;
    const practice = await new Practice({
      wrapProvider: market =>
        wrap(
          failing(market, () => down),
          {
            dial: (id, rank, address, signal) => {
              asked += 1;
              return waysIn(market).dial(id, rank, address, signal);
            },
          },
        ),
    }).open();
    const cluster = await practice.rent({ idleMs: 0 });
    await practice.untilPhase(cluster.id, 'ready');
    practice.close();
    down = true;
    await practice.open();
    await practice.run(1);
    assert.equal(asked, 1);
    await practice.run(1_200_000);
    assert.equal(practice.service.get(cluster.id).phase, 'ready');
    assert.equal(await wasEver(practice, cluster, 'unreachable'), false);
    down = false;
    await endsClean(practice, cluster);
  });

  it('is set up by the next daemon where the last one died over it', async () => {
    let down = false;
    let hangs = true;
    const practice = await new Practice({
      wrapProvider: market => {
        const slow = (host: Host): Host => ({
          ...at(host, host.address),
          ensurePython: (needs, report, signal) =>
            hangs ? new Promise<never>(() => undefined) : host.ensurePython(needs, report, signal),
        });
        return wrap(
          failing(market, () => down),
          {
            host: async (instance, rank, signal) => slow(await waysIn(market).host(instance, rank, signal)),
            dial: async (id, rank, address, signal) =>
              slow(await waysIn(market).dial(id, rank, address, signal)),
          },
        );
      },
    }).open();
    const cluster = await practice.rent({ idleMs: 0 });
    await practice.until(() => practice.service.get(cluster.id).nodes[0]?.phase === 'bootstrapping');
    await practice.run(60_000);
    practice.close();
    [down, hangs] = [true, false];
    await practice.open();
    await practice.untilPhase(cluster.id, 'ready');
    down = false;
    await endsClean(practice, cluster);
  });

  it('is looked for where its network says that it is, once nobody answers where it was', async () => {
    const dialled: MachineAddress[] = [];
    let now: MachineAddress = addressOf('one:22', 'key of one');
    const practice = await new Practice({
      wrapProvider: market =>
        wrap(market, {
          host: async (instance, rank, signal) => at(await waysIn(market).host(instance, rank, signal), now),
          dial: async (id, rank, address, signal) => {
            dialled.push(address);
            if (address.at !== now.at) {
              throw new Error('connection refused');
            }
            return at(await waysIn(market).dial(id, rank, address, signal), address);
          },
        }),
    }).open();
    const cluster = await practice.rent({ idleMs: 0 });
    await practice.untilPhase(cluster.id, 'ready');
    practice.close();
    const before = now;
    now = addressOf('two:22', 'key of two');
    for (const known of [before, now]) {
      dialled.length = 0;
      await practice.open();
      await practice.run(10_000);
      assert.equal(practice.service.get(cluster.id).phase, 'ready');
      assert.deepEqual(dialled, [known]);
      practice.close();
    }
    await practice.open();
    await endsClean(practice, cluster);
  });

  it('is said to have a host key that nothing proves, where the one that answered first is kept', async () => {
    const unproved = { ...addressOf('one:22', 'a key'), proof: 'first_contact' as const };
    const practice = await new Practice({
      wrapProvider: market =>
        wrap(market, {
          host: async (instance, rank, signal) =>
            at(await waysIn(market).host(instance, rank, signal), unproved),
        }),
    }).open();
    const cluster = await practice.rent({ idleMs: 0 });
    await practice.untilPhase(cluster.id, 'ready');
    const events = await practice.pass(practice.service.events(cluster.id, 0, 1000));
    assert.equal(events.filter(({ value }) => value === 'host_key').length, 1);
    await endsClean(practice, cluster);
  });

  it('is not dialled for ever: that it is gone is believed as soon as its network says so', async () => {
    const practice = await new Practice({
      wrapProvider: market => wrap(market, { dial: () => new Promise<never>(() => undefined) }),
    }).open();
    const cluster = await practice.rent({ filter: { endsBillingAlone: false }, idleMs: 0 });
    await practice.untilPhase(cluster.id, 'ready');
    practice.close();
    const [rental] = practice.billing();
    await practice.pass(practice.market.end(rental?.id ?? '', new AbortController().signal));
    await practice.open();
    await practice.until(() => practice.service.get(cluster.id).phase === 'failed', 5_000);
    await endsClean(practice, cluster);
  });
});
