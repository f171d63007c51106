/** Refs outlive everything else that is known of a purchase. */
import assert from 'node:assert/strict';
import { type Cluster, type ClusterId, isGone, parseMicroUsd } from '@hitch/contract';
import { refs } from '../../src/ledger/kinds/ref.ts';
import { rowsOf } from '../../src/ledger/records.ts';
import { type FaultRule, faultPlanSchema } from '../../src/providers/sandbox/faults.ts';
import { openStore } from '../../src/store/open.ts';
import { Practice } from './practice.ts';

/** Its market loses sight of machines after a minute, calls them gone, and shows them again half an hour later. */
const MISLAID = { fault: 'mislaid', chance: 1, afterMs: 60_000, durationMs: 1_800_000 } as const;

/** A market that mislays, and a cluster on it that was called gone, taken off the list and forgotten. */
async function forgotten(
  ...more: readonly FaultRule[]
): Promise<{ readonly practice: Practice; readonly id: ClusterId; readonly ref: string }> {
  const faults = faultPlanSchema.parse({ rules: [MISLAID, ...more] });
  const practice = await new Practice({ faults, removedKept: 0 }).open();
  const { id } = await practice.rent({ filter: { endsBillingAlone: false } }, 'lost-sight-of');
  await practice.untilPhase(id, 'ready');
  await practice.run(120_000);
  await practice.pass(practice.service.stop(id, { skipSave: true }));
  await practice.until(() => isGone(practice.service.get(id)));
  const [machine] = practice.billing();
  assert.ok(machine !== undefined, 'the market bills it and does not know');
  await practice.pass(practice.service.remove(id));
  await practice.run(1_000);
  assert.throws(() => practice.service.get(id), /There is no cluster/);
  return { practice, id, ref: machine.ref };
}

/** The one cluster on the list, once nothing bills any more. */
async function endedAgain(practice: Practice): Promise<Cluster> {
  await practice.until(() => practice.service.list().length === 1);
  await practice.until(() => practice.billing().length === 0);
  await practice.until(() => practice.service.list().every(isGone));
  const [cluster] = practice.service.list();
  assert.ok(cluster !== undefined);
  return cluster;
}

async function costsWhatIsBilled(practice: Practice, ref: string): Promise<void> {
  const { costMicroUsd } = await practice.pass(practice.service.usageTotal(0, Number.MAX_SAFE_INTEGER));
  const apart = parseMicroUsd(costMicroUsd) - practice.market.billed(ref);
  // Each stretch of time is rounded up by itself.
  assert.ok(apart >= 0n && apart <= 2n, `${costMicroUsd} for ${practice.market.billed(ref).toString()}`);
}

describe('refs', () => {
  it('know the machine of a cluster that was removed and forgotten: it is ended, and counted to the last', async () => {
    const { practice, id, ref } = await forgotten();
    const cluster = await endedAgain(practice);
    assert.notEqual(cluster.id, id);
    assert.equal(cluster.name, 'lost-sight-of');
    const events = await practice.pass(practice.service.events(cluster.id, 0, 1000));
    assert.ok(events.some(({ value, message }) => value === 'leftover' && /still lists/.test(message)));
    await costsWhatIsBilled(practice, ref);
    assert.equal((await practice.rentedCheck())?.status, 'ok', 'it was no stranger');
    practice.close();
  });

  it('know it also by another daemon, and once more after it was forgotten a second time', async () => {
    const { practice, ref } = await forgotten();
    practice.close();
    await practice.open();
    const cluster = await endedAgain(practice);
    await practice.pass(practice.service.remove(cluster.id));
    await practice.run(1_000);
    assert.deepEqual(practice.service.list(), []);
    await costsWhatIsBilled(practice, ref);
    practice.close();
  });

  it('count what is kept in any case once', async () => {
    const { practice, ref } = await forgotten(
      { fault: 'minimum_time', chance: 1, minutes: 10 },
      { fault: 'setup_fee', chance: 1, microUsd: 40_000 },
    );
    await endedAgain(practice);
    await costsWhatIsBilled(practice, ref);
    practice.close();
  });

  it('count a part of the price that began while nobody looked', async () => {
    const faults = faultPlanSchema.parse({ rules: [MISLAID, { fault: 'disk_apart', chance: 1 }] });
    const practice = await new Practice({ faults, removedKept: 0 }).open();
    const { id } = await practice.rent({ filter: { endsBillingAlone: false } }, 'never-seen-running');
    await practice.until(() => practice.service.get(id).nodes[0]?.phase === 'booting');
    const [machine] = practice.billing();
    assert.ok(machine !== undefined);
    const { ref, readyAtMs } = machine;
    assert.ok(readyAtMs !== null);
    practice.close();
    practice.clock.jump(readyAtMs + 2 * MISLAID.afterMs - practice.clock.now());
    await practice.open();
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.until(() => isGone(practice.service.get(id)));
    await practice.pass(practice.service.remove(id));
    await endedAgain(practice);
    await costsWhatIsBilled(practice, ref);
    practice.close();
  });

  it('are read from a store that does not say which parts of a price are paid: all are', async () => {
    const { practice, ref } = await forgotten({ fault: 'disk_apart', chance: 1 });
    practice.close();
    practice.disk.database.exec('alter table refs drop column counted_parts; pragma user_version = 5');
    await practice.open();
    await endedAgain(practice);
    await costsWhatIsBilled(practice, ref);
    practice.close();
  });

  it('are in the purchase log too: a lost store ends the machine of a cluster that only they know', async () => {
    const { practice, ref } = await forgotten({ fault: 'setup_fee', chance: 1, microUsd: 40_000 });
    practice.loseStore();
    await practice.open();
    const cluster = await endedAgain(practice);
    assert.equal(cluster.name, 'lost-sight-of');
    await costsWhatIsBilled(practice, ref);
    practice.close();
  });

  it('outlive a purchase log that is lost, and a row that cannot be read', async () => {
    const { practice, ref } = await forgotten();
    await practice.pass(practice.purchases.replace(''));
    practice.close();
    await practice.open();
    await practice.run(10_000);
    assert.match(practice.purchases.read(), new RegExp(`"kind":"ref".*${ref}`));
    practice.close();
    practice.disk.database.exec(`update refs set provider = '' where ref = '${ref}'`);
    await practice.open();
    await endedAgain(practice);
    practice.close();
  });

  it('are made of the purchases that a store of an older Hitch knows', async () => {
    const practice = await new Practice().open();
    const { id } = await practice.rent();
    await practice.untilPhase(id, 'ready');
    practice.close();
    practice.disk.database.exec(
      'drop table refs; drop table host_histories; drop table jobs; pragma user_version = 2',
    );
    await practice.open();
    practice.close();
    const store = await openStore({
      path: ':memory:',
      worker: false,
      now: () => practice.clock.now(),
      disk: practice.disk,
    });
    const snapshot = await practice.pass(store.load());
    assert.deepEqual(
      rowsOf(refs, snapshot).map(({ ref, clusterName, instanceId }) => [ref, clusterName, instanceId]),
      snapshot.attempts.map(({ ref, instanceId }) => [ref, snapshot.clusters[0]?.name, instanceId]),
    );
    assert.notEqual(snapshot.attempts.length, 0);
  });

  it('leave alone a machine that was in use when its record was lost', async () => {
    const practice = await new Practice().open();
    const { id } = await practice.rent({ idleMs: 0 });
    await practice.untilPhase(id, 'ready');
    practice.close();
    practice.disk.database.exec("update attempts set record = 'x'");
    await practice.pass(practice.purchases.replace(''));
    await practice.open();
    await practice.run(300_000);
    assert.equal(practice.billing()[0]?.destroyTries, 0);
    const check = await practice.rentedCheck();
    assert.match(check?.message ?? '', /lists 1 machine that no record here knows/);
    practice.close();
  });
});
