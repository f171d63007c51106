/**
 * A machine that is rented at Vast.ai, simulated with real machines, from its offers to nothing left: its way in by the key
 * that was attached, a cell on it, and the network's bill beside what was counted.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMicroUsd } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { VAST_KEY, VastSimulator } from '../simulators/vast/vast-simulator.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { until } from '../support/waiting.ts';
import { SshdRental } from './sshd-rental.ts';

describe('a machine rented at Vast.ai, simulated', function () {
  this.timeout(900_000);
  const close = new AsyncDisposableStack();
  let rental: SshdRental<VastSimulator>;
  let kernelId = '';

  before(async function () {
    const opened = await SshdRental.open(this, {
      id: 'vast',
      key: VAST_KEY,
      gpu: { name: 'NVIDIA GeForce RTX 3060', memoryMiB: 12_288 },
      // What its start-up let in is taken out at once: it is the key that is attached which opens it.
      build: machines => new VastSimulator({ clock: systemClock, machines, keysRewrittenAfterMs: 0 }),
      environment: { HITCH_MACHINE_HANDSHAKE_MS: '1000' },
    });
    rental = close.use(opened);
  });
  after(() => close.disposeAsync());

  it('is of a network of which it is said that nobody has rented there for real yet', async () => {
    const { stdout } = await rental.home.cli(['networks', 'ls']);
    assert.match(stdout, /^Vast\.ai \(vast\): .*\n {2}This network is not yet verified live\n/);
  });

  it('is set up by the key that was attached to it, with a host key that it proved, and runs a cell', async () => {
    const { home, simulator } = rental;
    const { id } = await home.rent({ filter: { providers: ['vast'] }, engine: 'single', idleMs: 0 }, 'vast');
    const cluster = await home.untilCluster(id, 'it is ready', ({ phase }) => phase === 'ready', 420_000);
    rental.cluster = cluster;
    assert.equal(simulator.rentals()[0]?.mark, rental.attempt.ref);
    const attached = simulator.ways.attached(Number(rental.machineId));
    assert.equal(attached.length, 1);
    assert.equal(lines(), attached[0]?.publicKey);
    assert.ok(!cluster.nodes[0]?.machine?.warnings.includes('host key not proved'));
    assert.match(cluster.nodes[0]?.machine?.says ?? '', /, network .*not measured \(its traffic costs\)$/);
    kernelId = await startKernel(home, cluster);
    rental.page = await NotebookPage.open(home, cluster, kernelId);
    assert.equal(await rental.page.result('print(40 + 2)'), '42\n');
  });

  const warnings = async (): Promise<readonly string[]> =>
    (await rental.home.api.clusters.events({ clusterId: rental.rented.id, limit: 1000 }))
      .filter(({ value }) => value === 'key_refused')
      .map(({ message }) => message);
  /** Every key that opens it is taken out, as the network does after hours; what is connected stays. */
  const takeKeysOut = async (): Promise<void> => {
    const { simulator, machineId } = rental;
    const contract = simulator.market.contract(Number(machineId)) ?? assert.fail();
    for (const { id } of simulator.ways.attached(contract.id)) {
      await simulator.ways.detach(contract, id);
    }
  };
  const lines = (): string =>
    readFileSync(join(rental.machines.folderOf(rental.machineId), 'authorized_keys'), 'utf8').trim();

  it('is let in again once its key was taken out while the connection works on', async () => {
    await takeKeysOut();
    await until('the key is there again', () => lines() !== '');
    assert.deepEqual(await warnings(), []);
    assert.equal(await rental.page?.result('print(43)'), '43\n');
  });

  it('warns where the network does not let it in again, and runs on; the next daemon is let in', async () => {
    const { faults, home } = rental;
    faults.add({
      route: /^POST \/api\/v0\/instances\/[0-9]+\/ssh\//,
      fault: { does: 'answer', answer: { status: 500, body: 'no' } },
    });
    await takeKeysOut();
    await until('it is said', async () => (await warnings()).length > 0);
    assert.match(
      (await warnings())[0] ?? '',
      /does not let the cluster’s key in any more\. .*Save what you need now\.$/,
    );
    assert.equal(await rental.page?.result('print(44)'), '44\n');
    faults.clear();
    rental.page?.leave();
    await home.kill();
    await home.start();
    const page = await until(
      'its page is open again',
      () => NotebookPage.open(home, rental.rented, kernelId).catch(() => null),
      240_000,
    );
    rental.page = page;
    assert.equal(await page.result('print(45)'), '45\n');
    assert.notEqual(lines(), '');
  });

  it('holds no login of its network, no secret that was not given to it, and nothing that opens anything', async () => {
    await rental.holdsNothingSecret();
  });

  it('is ended, counted as it is billed, and nothing of it is left', async () => {
    const { over, billed } = await rental.end();
    const counted = parseMicroUsd(over.usage.accruedMicroUsd);
    // The network charges its GPU from the moment in which it runs, which is seen a look later.
    const difference = counted > billed ? counted - billed : billed - counted;
    assert.ok(difference < 10_000n, `${counted.toString()} counted, ${billed.toString()} billed`);
    const parts = new Set(over.usage.parts.map(({ label }) => label));
    assert.ok(parts.has('Disk') && parts.has('GPU'), [...parts].join(', '));
    await rental.leavesNothing();
  });
});
