/** What becomes of an order at Akash, with the cluster side and its records in between. */
import assert from 'node:assert/strict';
import { type Cluster, type ClusterId, isOver, parseMicroUsd } from '@hitch/contract';
import { Practice } from '../../backend-proxy/test/clusters/practice.ts';
import { AkashProvider } from '../../backend-proxy/src/providers/akash/akash-provider.ts';
import { AKASH_KEY, type AkashOptions, AkashSimulator } from '../simulators/akash/akash-simulator.ts';
import { type FaultRule, Faults } from '../simulators/frame/faults.ts';
import { transportTo } from '../simulators/frame/transport.ts';
import { answering, byHand, CREATE, LEASE } from './akash-rig.ts';

const MINUTE_MS = 60_000;
/** What is rented here stays on its way: nothing is behind it. */
const NEVER_MS = 24 * 60 * MINUTE_MS;

describe('an order at Akash', () => {
  let simulator: AkashSimulator;
  let world: Practice;
  let provider: AkashProvider;

  const open = async (options: Partial<AkashOptions> = {}, rules: readonly FaultRule[] = []) => {
    world = await new Practice({
      others: clock => {
        simulator = new AkashSimulator({ clock, bootMs: NEVER_MS, ...options });
        const transport = transportTo(simulator, { clock, faults: new Faults(rules, () => 1) });
        const login = () => Promise.resolve({ apiKey: AKASH_KEY });
        provider = new AkashProvider({ base: 'https://console-api.akash.network', transport, login, clock });
        // Nobody comes in here: there are no keys in this world.
        Object.assign(provider, { capabilities: { ...provider.capabilities, sshKeys: 'none' } });
        return [provider];
      },
    }).open();
  };
  afterEach(async () => {
    world.close();
    await simulator.close();
    assert.deepEqual(simulator.complaints, []);
  });

  const rent = () => world.rent({ filter: { providers: ['akash'] }, engine: 'single' });
  const now = (id: ClusterId): Cluster => world.service.get(id);
  const attempts = (id: ClusterId) => now(id).nodes[0]?.attempts ?? [];
  const sent = () => simulator.asked.filter(({ method, path }) => LEASE.test(`${method} ${path}`)).length;
  const stop = async (id: ClusterId): Promise<Cluster> => {
    await world.pass(world.service.stop(id, { skipSave: true }));
    await world.until(() => isOver(now(id)));
    return now(id);
  };
  const billed = () => simulator.bill().reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n);
  const balance = async () =>
    (await world.pass(provider.account(new AbortController().signal))).balanceMicroUsd ?? 0n;

  it('costs nothing while it has no lease, and is expected to cost the same by the next daemon', async () => {
    await open({ lies: { bidsAfterMs: 5 * MINUTE_MS } });
    const { id } = await rent();
    await world.until(() => now(id).conditions.billing.reason === 'ordered', MINUTE_MS);
    const expected = attempts(id)[0]?.pricePerHourMicroUsd ?? '0';
    assert.ok(parseMicroUsd(expected) > 0n);
    world.close();
    // A daemon that knows nothing but what is stored.
    await world.open();
    await world.run(2 * MINUTE_MS);
    assert.equal(now(id).usage.ratePerHourMicroUsd, '0', 'it costs nothing yet');
    assert.equal(attempts(id)[0]?.pricePerHourMicroUsd, expected);
    await world.until(() => parseMicroUsd(now(id).usage.ratePerHourMicroUsd) > 0n, 10 * MINUTE_MS);
    assert.equal(attempts(id).length, 1);
    await stop(id);
    assert.ok(simulator.rentals().every(({ endedAtMs }) => endedAtMs !== null));
  });

  it('that is found again after its answer was lost costs nothing before its lease', async () => {
    const lost = { route: /^POST \/v1\/deployments$/, times: 1, fault: { does: 'lose-reply' } } as const;
    await open({ lies: { bidsAfterMs: 60 * MINUTE_MS } }, [lost]);
    const { id } = await rent();
    await world.until(() => simulator.rentals().length === 1, MINUTE_MS);
    world.close();
    await world.open();
    await world.run(2 * MINUTE_MS);
    const over = await stop(id);
    assert.equal(over.usage.accruedMicroUsd, '0');
    await world.until(() => simulator.rentals().every(({ endedAtMs }) => endedAtMs !== null), 30 * MINUTE_MS);
    assert.equal(billed(), 0n);
  });

  it('that is answered with somebody else’s is looked for by its mark, and theirs is left alone', async () => {
    const theirs = { dseq: '', manifest: '[]', signTx: { code: 0, transactionHash: 'A', rawLog: '' } };
    await open({}, [{ route: CREATE, times: 1, fault: answering(201, { data: theirs }) }]);
    theirs.dseq = await byHand(simulator);
    const { id } = await rent();
    await world.until(() => simulator.rentals().length === 2, 30 * MINUTE_MS);
    assert.equal(attempts(id)[0]?.message, 'Akash never rented it.');
    await stop(id);
    const standing = simulator.rentals().filter(({ endedAtMs }) => endedAtMs === null);
    assert.deepEqual(
      standing.map(rental => rental.id),
      [theirs.dseq],
    );
  });

  it('whose lease was made and not told what to run is told again, and boots from then on', async () => {
    await open({ lies: { undelivered: 3 } });
    const { id } = await rent();
    await world.until(() => sent() === 4, 5 * MINUTE_MS);
    await world.run(5 * MINUTE_MS);
    assert.equal(sent(), 4, 'once it is told it is not told again');
    assert.equal(attempts(id).length, 1);
    assert.equal(now(id).nodes[0]?.phase, 'booting');
    const over = await stop(id);
    const difference = parseMicroUsd(over.usage.accruedMicroUsd) - billed();
    // Up to a block of six seconds.
    assert.ok(difference >= 0n && difference < 2_000n, difference.toString());
  });

  for (const [how, options, rules] of [
    ['says so', { lies: { undelivered: Infinity } }, []],
    // As versions did that gave this failure no name of its own.
    ['fails', {}, [{ route: LEASE, fault: { does: 'answer-after', answer: { status: 500, body: {} } } }]],
  ] as const) {
    it(`whose lease is never told what to run is closed with its deposit long before its boot would be late: its network ${how}`, async () => {
      await open({ ...options, lies: { noStatus: true, ...('lies' in options ? options.lies : {}) } }, rules);
      const before = await balance();
      const { id } = await rent();
      await world.until(() => attempts(id).length > 1 || isOver(now(id)), 6 * MINUTE_MS);
      const said = await world.pass(world.service.events(id, 0, 1000));
      assert.ok(
        said.some(({ message }) =>
          /^Akash has a machine that did not take what to run within 3 min \(.*\); it is closed\./.test(
            message,
          ),
        ),
        said.map(({ message }) => message).join('\n'),
      );
      assert.ok(sent() > 3, 'it was tried several times');
      const over = await stop(id);
      assert.ok(simulator.rentals().every(({ endedAtMs }) => endedAtMs !== null));
      const difference = parseMicroUsd(over.usage.accruedMicroUsd) - billed();
      assert.ok(difference >= 0n && difference < 4_000n, difference.toString());
      const cost = before - (await balance());
      assert.ok(cost - billed() < 10n && billed() - cost < 10n, 'what was not used of the deposits is back');
    });
  }

  it('whose machine was told what to run is not closed because its provider is not reached for a while', async () => {
    // The console does not reach it for its status, and has it take what is to run each time.
    await open({ lies: { noStatus: true } });
    const { id } = await rent();
    await world.until(() => now(id).nodes[0]?.phase === 'booting' && sent() > 0, 5 * MINUTE_MS);
    await world.run(8 * MINUTE_MS);
    assert.equal(attempts(id).length, 1);
    assert.equal(now(id).nodes[0]?.phase, 'booting');
    await world.until(() => attempts(id).length > 1 || isOver(now(id)), 15 * MINUTE_MS);
    await stop(id);
  });
});
