/**
 * A whole cluster at io.net whose hours run out, on the clock of the simulator: with the daemon awake, with nobody there, and
 * after more hours were bought. Its machines are records; what is asked and answered goes through the real adapter.
 */
import assert from 'node:assert/strict';
import { type Cluster, type ClusterId, isOver, parseMicroUsd, type QuoteRequest } from '@hitch/contract';
import { Practice } from '../../backend-proxy/test/clusters/practice.ts';
import { IonetProvider } from '../../backend-proxy/src/providers/ionet/ionet-provider.ts';
import { NullRuntime } from '../../backend-proxy/src/providers/sandbox/null-runtime.ts';
import { insideOut, inside } from './inside-out.ts';
import { type FaultRule, Faults } from '../simulators/frame/faults.ts';
import { transportTo } from '../simulators/frame/transport.ts';
import { statusOf } from '../simulators/ionet/deployment.ts';
import { IONET_KEY } from '../simulators/ionet/door.ts';
import { IonetSimulator } from '../simulators/ionet/ionet-simulator.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const EXTEND = /^POST .*\/extend$/;
/** Of its cheapest machine, in micro-dollars. */
const HOUR_COSTS = 450_001n;
/** What it answers to whoever may not have more is assumed: nothing of its client says it. */
const NO_MORE: FaultRule = {
  route: EXTEND,
  fault: { does: 'answer', answer: { status: 400, body: { detail: 'This deployment cannot be extended' } } },
};

describe('a cluster at io.net whose hours run out', () => {
  let simulator: IonetSimulator;
  let world: Practice;
  let extensions = 0;

  const open = async (rules: readonly FaultRule[] = []) => {
    extensions = 0;
    world = await new Practice({
      others: clock => {
        simulator = new IonetSimulator({ clock, bootMs: MINUTE_MS, endMs: 20_000, limits: false });
        const runtime = new NullRuntime({ clock });
        const simulated = transportTo(simulator, { clock, faults: new Faults(rules, () => 1) });
        const adapter = new IonetProvider({
          base: 'https://api.io.solutions',
          transport: (request, signal) => {
            extensions += EXTEND.test(`${request.method} ${new URL(request.url).pathname}`) ? 1 : 0;
            return simulated(request, signal);
          },
          login: () => Promise.resolve({ apiKey: IONET_KEY }),
          clock,
        });
        const hostOf = (id: string, rank: number) => {
          const deployment = simulator.deployments.find(each => each.id === id);
          if (deployment === undefined || statusOf(deployment, clock.now()) !== 'running') {
            return Promise.reject(new Error(`Nothing runs at ${id}.`));
          }
          const { name: ref, hardware } = deployment;
          const fixed = {
            cpuCores: 8,
            gpuCount: hardware.cards,
            gpuModel: hardware.name,
            vramMiB: hardware.vramPerCard * 1024,
          };
          return Promise.resolve(runtime.host({ id, ref }, rank, { fixed }));
        };
        const provider = insideOut(adapter, {
          host: ({ id }, rank) => hostOf(id, rank),
          dial: hostOf,
          list: async (signal, nextPage) => (await adapter.list(signal, nextPage)).map(inside),
        });
        return [provider];
      },
    }).open();
  };
  afterEach(async () => {
    world.close();
    await simulator.close();
    assert.deepEqual(simulator.complaints, []);
  });

  const now = (id: ClusterId): Cluster => world.service.get(id);
  const machine = () => {
    const [only, ...others] = simulator.rentals();
    assert.ok(only !== undefined && others.length === 0, 'one machine was rented');
    return only;
  };
  const billed = () => simulator.bill().reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n);
  const said = (id: ClusterId) => world.pass(world.service.events(id, 0, 1000));
  /** Ready at its cheapest machine, which is paid for one hour and may cost so many. */
  const rented = async (hours: number, request: Partial<QuoteRequest> = {}): Promise<ClusterId> => {
    const { id } = await world.rent({
      filter: { providers: ['ionet'] },
      engine: 'single',
      idleMs: 0,
      capMicroUsd: String(Math.round(Number(HOUR_COSTS) * hours)),
      termMs: HOUR_MS,
      ...request,
    });
    await world.until(() => ['ready', 'failed'].includes(now(id).phase), 30 * MINUTE_MS);
    assert.equal(now(id).phase, 'ready', now(id).message);
    return id;
  };
  /** It is over as was agreed: nobody took anything back, and it cost what was paid. */
  const isAsAgreed = async (id: ClusterId, hours: bigint): Promise<void> => {
    await world.until(() => isOver(now(id)) && now(id).conditions.cleanup.status === 'yes', 2 * HOUR_MS);
    const over = now(id);
    assert.equal(over.phase, 'expired', over.message);
    assert.equal(over.message, 'The time that was paid for was over.');
    assert.notEqual(machine().endedAtMs, null);
    assert.equal(parseMicroUsd(over.usage.accruedMicroUsd), billed());
    // The last seconds of the last hour come back where it was ended a little before.
    const unused = hours * HOUR_COSTS - billed();
    assert.ok(unused >= 0n && unused < HOUR_COSTS / 5n, billed().toString());
    const events = await said(id);
    assert.ok(
      !events.some(({ message }) => /took .*back|lost/i.test(message)),
      events.map(({ message }) => message).join('\n'),
    );
  };

  it('is warned of its end, and ended before it, where io.net sells no more', async () => {
    await open([NO_MORE]);
    const id = await rented(10);
    await world.until(() => isOver(now(id)), 2 * HOUR_MS);
    const { boughtAtMs, endedAtMs } = machine();
    assert.ok(
      (endedAtMs ?? Infinity) <= boughtAtMs + HOUR_MS,
      'it did not go on into an hour that nobody paid',
    );
    assert.equal(extensions, 1);
    assert.ok((await said(id)).some(({ value }) => value === 'stopping_soon'));
    await isAsAgreed(id, 1n);
  });

  for (const [cap, hours] of [
    ['that is far away', 10],
    // By then more was counted than it allows, of hours that nobody had.
    ['that was reached meanwhile', 1.9],
  ] as const) {
    it(`ended by io.net itself while nobody was there: the next daemon says that it was agreed so, with a limit ${cap}`, async () => {
      await open();
      const id = await rented(hours);
      world.close();
      await world.run(3 * HOUR_MS);
      assert.notEqual(machine().endedAtMs, null, 'its network ended it');
      await world.open();
      await isAsAgreed(id, 1n);
      assert.equal(extensions, 0);
    });
  }

  it('gets more hours while the daemon is awake, until io.net sells none', async () => {
    await open([{ ...NO_MORE, nth: 3 }]);
    const id = await rented(10);
    await world.run(2.5 * HOUR_MS);
    assert.equal(now(id).phase, 'ready');
    assert.equal(extensions, 2);
    await isAsAgreed(id, 3n);
    assert.equal(extensions, 3, 'what was refused for good is not asked for again');
  });

  it('for which an hour was bought runs until then, though the daemon died after that', async () => {
    await open();
    const id = await rented(10);
    await world.until(() => extensions === 1, 2 * HOUR_MS);
    await world.run(MINUTE_MS);
    world.close();
    await world.run(45 * MINUTE_MS);
    assert.equal(machine().endedAtMs, null, 'its second hour is not over');
    await world.run(HOUR_MS);
    assert.notEqual(machine().endedAtMs, null);
    await world.open();
    await isAsAgreed(id, 2n);
    assert.equal(extensions, 1, 'what is over gets no more');
  });

  it('got one hour where the answer to buying it was lost and the daemon died with it', async () => {
    await open([{ route: EXTEND, nth: 1, fault: { does: 'lose-reply' } }, NO_MORE]);
    const id = await rented(10);
    await world.until(() => extensions === 1, 2 * HOUR_MS);
    world.close();
    await world.open();
    await world.run(20 * MINUTE_MS);
    assert.equal(
      now(id).phase,
      'ready',
      'the hour that was bought is known by the end that the network says',
    );
    assert.equal(extensions, 1);
    await isAsAgreed(id, 2n);
    assert.equal(extensions, 2, 'the next one was asked for once');
  });
});
