import assert from 'node:assert/strict';
import { type ClusterId, parseMicroUsd } from '@hitch/contract';
import { mute, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

async function messages(practice: Practice, id: ClusterId, value: string): Promise<string[]> {
  const events = await practice.pass(practice.service.events(id, 0, 1000));
  return events.filter(event => event.value === value).map(({ message }) => message);
}

describe('the limits of a cluster', () => {
  it('stop it at its stop time, warn ten minutes before, and call that expired', async () => {
    const practice = await new Practice().open();
    const stopAtMs = practice.clock.now() + 3_600_000;
    const { id } = await practice.rent({ stopAtMs, idleMs: 0, capMicroUsd: '100000000' });
    const expired = await practice.untilPhase(id, 'expired');
    assert.ok(practice.clock.now() >= stopAtMs && practice.clock.now() < stopAtMs + 120_000);
    assert.equal(expired.message, 'Its stop time was reached.');
    assert.equal((await messages(practice, id, 'stopping_soon')).length, 1);
    practice.close();
  });

  it('stop it before its cap, so that saving and destroying still fit inside', async () => {
    const practice = await new Practice().open();
    const { id } = await practice.rent({
      capMicroUsd: '500000',
      idleMs: 0,
      filter: { gpuModels: ['RTX 4090'] },
      save: { paths: ['out'], toFolder: null },
    });
    await practice.until(() => practice.service.get(id).phase === 'expired', 8 * 3_600_000);
    const expired = practice.service.get(id);
    assert.equal(expired.message, 'Its spending limit was reached.');
    const spent = parseMicroUsd(expired.usage.accruedMicroUsd);
    assert.ok(spent <= 500_000n && spent > 300_000n, spent.toString());
    assert.equal(spent, practice.billed(id));
    practice.close();
  });

  it('stop it when nothing worked on it for long enough', async () => {
    const practice = await new Practice().open();
    const { id } = await practice.rent({ idleMs: 600_000 });
    await practice.untilPhase(id, 'ready');
    const readyAtMs = practice.clock.now();
    const expired = await practice.untilPhase(id, 'expired', 'failed');
    assert.equal(expired.message, 'It was idle.');
    assert.ok(practice.clock.now() - readyAtMs < 700_000);
    practice.close();
  });

  it('take no cluster for idle while another machine than its head works, and its head is told so', async () => {
    let head = '';
    let isBusy = true;
    const wrapAgent = mute(
      () => false,
      status =>
        isBusy && head !== '' && status.nodeId !== head
          ? { ...status, watchdog: { ...status.watchdog, idleSinceMs: null, activity: ['train.py works'] } }
          : status,
    );
    const practice = await new Practice({ wrapAgent }).open();
    const { id } = await practice.rent({ nodes: 2, idleMs: 600_000, capMicroUsd: '100000000' });
    const ready = await practice.untilPhase(id, 'ready');
    head = ready.nodes[0]?.id ?? '';
    await practice.run(3_600_000);
    assert.equal(practice.service.get(id).phase, 'ready');
    isBusy = false;
    const idleAtMs = practice.clock.now();
    const expired = await practice.untilPhase(id, 'expired', 'failed');
    assert.equal(expired.message, 'It was idle.');
    assert.ok(practice.clock.now() - idleAtMs >= 500_000);
    practice.close();
  });

  it('can be moved while it runs, and the agents learn so', async () => {
    const practice = await new Practice().open();
    const stopAtMs = practice.clock.now() + 1_200_000;
    const { id } = await practice.rent({ stopAtMs, idleMs: 0, capMicroUsd: '5000000' });
    await practice.untilPhase(id, 'ready');
    await practice.pass(practice.service.extend(id, { stopAtMs: stopAtMs + 3_600_000 }));
    await practice.run(2_400_000);
    assert.equal(
      practice.service.get(id).phase,
      'ready',
      'neither daemon nor agent ended it at the old time',
    );
    await assert.rejects(
      practice.pass(practice.service.extend(id, { capMicroUsd: '1' })),
      /already spent or needed/,
    );
    await assert.rejects(practice.pass(practice.service.extend(id, { stopAtMs: 1 })), /already passed/);
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await assert.rejects(
      practice.pass(practice.service.extend(id, { stopAtMs: null })),
      /can no longer be changed/,
    );
    practice.close();
  });

  it('hold on the machines while the daemon is away', async () => {
    const practice = await new Practice().open();
    const stopAtMs = practice.clock.now() + 1_200_000;
    const { id } = await practice.rent({ stopAtMs, idleMs: 0, filter: { endsBillingAlone: true } });
    await practice.untilPhase(id, 'ready');
    practice.close();
    practice.clock.jump(8 * 3_600_000);
    await practice.open();
    const expired = await practice.untilPhase(id, 'expired');
    const [attempt] = expired.nodes[0]?.attempts ?? [];
    const [rental] = practice.market.rentals(attempt?.ref);
    assert.equal(rental?.endedAtMs, stopAtMs, 'it ended itself on time');
    assert.equal(parseMicroUsd(expired.usage.accruedMicroUsd), practice.billed(id));
    practice.close();
  });

  it('show an idle machine that ended itself while the daemon was away as expired', async () => {
    const practice = await new Practice().open();
    const filter = { endsBillingAlone: true, markets: ['on_demand' as const] };
    const { id } = await practice.rent({ idleMs: 1_800_000, filter });
    await practice.untilPhase(id, 'ready');
    practice.close();
    practice.clock.jump(8 * 3_600_000);
    await practice.open();
    const expired = await practice.untilPhase(id, 'expired');
    assert.equal(expired.message, 'It was idle.');
    assert.equal(parseMicroUsd(expired.usage.accruedMicroUsd), practice.billed(id));
    practice.close();
  });

  it('show a machine that was taken back soon after something worked there as failed', async () => {
    const practice = await new Practice().open();
    const filter = { endsBillingAlone: true, markets: ['on_demand' as const] };
    const { id } = await practice.rent({ idleMs: 1_800_000, filter });
    const ready = await practice.untilPhase(id, 'ready');
    const [attempt] = ready.nodes[0]?.attempts ?? [];
    const [rental] = practice.market.rentals(attempt?.ref);
    assert.ok(rental !== undefined);
    await practice.pass(practice.market.end(rental.id, new AbortController().signal));
    await practice.untilPhase(id, 'failed');
    practice.close();
  });

  it('are told to a network once, whatever daemon comes after', async () => {
    const told: number[] = [];
    const practice = await new Practice({
      wrapProvider: provider =>
        wrap(provider, {
          extend: (id, endAtMs, signal) => {
            told.push(endAtMs);
            return provider.extend?.(id, endAtMs, signal) ?? Promise.resolve();
          },
        }),
    }).open();
    const stopAtMs = practice.clock.now() + 7_200_000;
    const { id } = await practice.rent({
      stopAtMs,
      idleMs: 0,
      capMicroUsd: '100000000',
      filter: { endsBillingAlone: true },
    });
    await practice.untilPhase(id, 'ready');
    await practice.run(120_000);
    assert.deepEqual(told, [], 'it was said with the purchase');
    await practice.pass(practice.service.extend(id, { stopAtMs: stopAtMs + 3_600_000 }));
    await practice.run(120_000);
    assert.deepEqual(told, [stopAtMs + 3_600_000]);
    practice.close();
    await practice.open();
    await practice.run(600_000);
    assert.equal(practice.service.get(id).phase, 'ready');
    assert.equal(told.length, 1);
    await practice.pass(practice.service.extend(id, { stopAtMs }));
    await practice.run(120_000);
    assert.deepEqual(told.slice(1), [stopAtMs]);
    practice.close();
  });
});
