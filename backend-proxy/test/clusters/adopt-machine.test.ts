/** A machine on the account that this Hitch did not rent, taken over by a person. */
import assert from 'node:assert/strict';
import { type Cluster, HitchError, parseMicroUsd } from '@hitch/contract';
import type { Instance, Provider } from '../../src/providers/provider.ts';
import { Practice } from './practice.ts';

const HOUR_MS = 3_600_000;

/** The market as a network that says where ssh leads, and takes keys of machines that run. */
function behindSsh(market: Provider): Provider {
  const ssh = { kind: 'rented', host: '192.0.2.7', port: 22, user: 'root', hostKeys: null } as const;
  const reached = (instance: Instance): Instance => ({
    ...instance,
    members: instance.members.map(member => ({ ...member, ssh })),
  });
  const own: Partial<Provider> = {
    capabilities: { ...market.capabilities, sshKeys: 'perInstance' },
    get: async (id, signal) => reached(await market.get(id, signal)),
    list: async (signal, nextPage) => (await market.list(signal, nextPage)).map(reached),
    letIn: () => Promise.resolve(),
  };
  return new Proxy(market, {
    get: (_, name) => {
      const from = name in own ? own : market;
      const value: unknown = Reflect.get(from, name);
      return typeof value === 'function' ? (value.bind(from) as unknown) : value;
    },
  });
}

/** Something that was rented there by hand, or by another Hitch, an hour ago. */
async function withForeign(
  label = 'hitch-of-another-home',
  wrapProvider: (provider: Provider) => Provider = provider => provider,
) {
  const practice = await new Practice({ wrapProvider }).open();
  const { signal } = new AbortController();
  const offers = await practice.pass(practice.market.offers(signal));
  const rent = async (name: string) => {
    const entryId = (offers[0]?.id ?? '').slice('sandbox:'.length);
    const order = { ref: name, entryId, maxPricePerHourMicroUsd: 10n ** 9n, endAtMs: null };
    return practice.pass(practice.market.rent(order, signal));
  };
  const { id } = await rent(label);
  await practice.run(HOUR_MS);
  const adopt = (change: object = {}): Promise<Cluster> =>
    practice.pass(
      practice.service.adopt('sandbox', {
        instanceId: id,
        pricePerHourMicroUsd: 10n ** 9n,
        capMicroUsd: 2_000_000n,
        stopAtMs: practice.clock.now() + 2 * HOUR_MS,
        ...change,
      }),
    );
  const isThere = () => practice.billing().some(rental => rental.id === id);
  return { practice, id, adopt, rent, isThere };
}

async function refused(call: Promise<unknown>, code: string): Promise<string> {
  const error = await call.then(
    () => assert.fail('it was not refused'),
    (why: unknown) => why,
  );
  assert.ok(error instanceof HitchError, String(error));
  assert.equal(error.code, code, error.message);
  return error.message;
}

describe('a machine that is not ours, adopted', () => {
  it('is left alone, watched and counted from then on, and is ours no stranger any more', async () => {
    const { practice, id, adopt, isThere } = await withForeign();
    const { id: clusterId } = await adopt({ name: 'found' });
    await practice.run(HOUR_MS / 2);
    assert.ok(isThere());
    const { phase, nodes, message, usage, conditions } = practice.service.get(clusterId);
    assert.equal(phase, 'unreachable');
    assert.match(
      message,
      new RegExp(`^Adopted: ${id} at Practice market is watched, and ended at its limits`),
    );
    assert.deepEqual(
      nodes[0]?.attempts.map(({ instanceId, state }) => [instanceId, state]),
      [[id, 'owned']],
    );
    assert.equal(conditions.billing.status, 'yes');
    const hourly = parseMicroUsd(usage.ratePerHourMicroUsd);
    const counted = parseMicroUsd(usage.accruedMicroUsd);
    assert.ok(hourly > 0n && counted >= hourly / 2n && counted < (hourly * 6n) / 10n, counted.toString());
    assert.deepEqual(practice.notOurs, []);
    practice.close();
  });

  it('is ended at its stop time, by the daemon that comes after too, and confirmed gone', async () => {
    const { practice, adopt, isThere } = await withForeign();
    const { id } = await adopt();
    await practice.run(60_000);
    practice.close();
    await practice.open();
    await practice.run(60_000);
    assert.ok(isThere());
    await practice.until(() => practice.service.get(id).conditions.cleanup.status === 'yes', 4 * HOUR_MS);
    assert.equal(isThere(), false);
    assert.equal(practice.service.get(id).phase, 'expired');
    practice.close();
  });

  it('is ended by hand', async () => {
    const { practice, adopt, isThere } = await withForeign();
    const { id } = await adopt();
    await practice.pass(practice.service.stop(id, { skipSave: false }));
    await practice.until(() => practice.service.get(id).conditions.cleanup.status === 'yes', HOUR_MS);
    assert.equal(isThere(), false);
    practice.close();
  });

  it('gives no other machine with its label away, while it is there and afterwards', async () => {
    const { practice, adopt, rent, isThere } = await withForeign('web');
    const other = await rent('web');
    const { id } = await adopt();
    await practice.run(10 * 60_000);
    assert.ok(practice.billing().some(rental => rental.id === other.id));
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.until(() => practice.service.get(id).conditions.cleanup.status === 'yes', HOUR_MS);
    await practice.run(10 * 60_000);
    assert.equal(isThere(), false);
    assert.ok(
      practice.billing().some(rental => rental.id === other.id),
      'it is somebody else’s',
    );
    assert.deepEqual(
      practice.notOurs.map(({ id: stranger }) => stranger),
      [other.id],
    );
    practice.close();
  });

  it('is refused where it is ours, is not there, or costs more than was shown', async () => {
    const { practice, adopt } = await withForeign();
    assert.match(
      await refused(adopt({ pricePerHourMicroUsd: 1n }), 'CONFLICT'),
      /^It costs \$[\d.]+\/h now, more than was shown/,
    );
    assert.match(await refused(adopt({ instanceId: 'sbx-99' }), 'NOT_FOUND'), /knows no machine sbx-99/);
    await adopt();
    assert.match(await refused(adopt(), 'CONFLICT'), /is this Hitch’s own already/);
    practice.close();
  });

  it('is not ended by a limit that is reached as it is given', async () => {
    const { practice, adopt, isThere } = await withForeign();
    const stopAtMs = practice.clock.now();
    assert.match(
      await refused(adopt({ capMicroUsd: 0n }), 'BAD_INPUT'),
      /^A limit of \$0\.00 would end it at once/,
    );
    assert.match(await refused(adopt({ stopAtMs }), 'BAD_INPUT'), /^The stop time has already passed/);
    await practice.run(HOUR_MS);
    assert.ok(isThere());
    practice.close();
  });

  it('says that its network took it away', async () => {
    const { practice, id, adopt } = await withForeign();
    const { id: clusterId } = await adopt();
    await practice.pass(practice.provider.destroy(id, new AbortController().signal));
    await practice.until(() => practice.service.get(clusterId).phase === 'failed', HOUR_MS);
    assert.match(practice.service.get(clusterId).message, /took the machine back|ended the machine/);
    practice.close();
  });

  it('is not adopted where it is to be set up and nobody knows where ssh leads to it', async () => {
    const { practice, adopt } = await withForeign();
    const said = await refused(adopt({ setUp: { by: 'network' } }), 'CONFLICT');
    assert.match(
      said,
      /^sbx-\S+ cannot be set up: Practice market does not say where ssh leads to it\. It was not adopted\.$/,
    );
    assert.deepEqual(practice.service.list(), []);
    practice.close();
  });

  it('is watched on, and not ended, where it cannot be set up; and is ended at its limits all the same', async () => {
    const { practice, adopt, isThere } = await withForeign('web', behindSsh);
    const { id } = await adopt({ setUp: { by: 'network' } });
    const events = await practice.service.events(id, 0, 100);
    assert.match(
      events.find(({ value }) => value === 'adopted')?.message ?? '',
      /^Adopted: \S+ at Practice market is set up\.$/,
    );
    // Nothing here reaches machines by ssh.
    await practice.until(() => practice.service.get(id).phase === 'unreachable', HOUR_MS);
    const said =
      'Not set up: Hitch cannot reach machines by ssh here. It is counted, and ended at its limits.';
    assert.equal(practice.service.get(id).message, said);
    assert.equal(practice.service.get(id).nodes[0]?.attempts[0]?.adopted, 'watched');
    await practice.run(HOUR_MS / 2);
    assert.ok(isThere(), 'whoever rented it may still use it');
    // A person may try once more, with limits as they are.
    const again = await adopt({ setUp: { by: 'network' }, capMicroUsd: 1n });
    assert.deepEqual([again.id, again.nodes[0]?.attempts[0]?.adopted], [id, 'set_up']);
    assert.equal(again.caps.totalMicroUsd, '2000000');
    await practice.until(() => practice.service.get(id).conditions.cleanup.status === 'yes', 4 * HOUR_MS);
    assert.equal(isThere(), false);
    assert.equal(practice.service.get(id).phase, 'expired');
    practice.close();
  });
});
