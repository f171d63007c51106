/**
 * A machine that is rented at Akash, simulated with real machines: an order, bids, a lease whose manifest is lost once, and
 * daemons that die between these; then a cell on it, nothing on it that opens anything, and the chain's bill beside what was
 * counted.
 */
import assert from 'node:assert/strict';
import { parseMicroUsd } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { AKASH_KEY, AkashSimulator } from '../simulators/akash/akash-simulator.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { until } from '../support/waiting.ts';
import { SshdRental } from './sshd-rental.ts';

/** Room to kill a daemon in before there is a bid, on a busy machine. */
const BIDS_AFTER_MS = 15_000;

describe('a machine rented at Akash, simulated', function () {
  this.timeout(900_000);
  const close = new AsyncDisposableStack();
  let rental: SshdRental<AkashSimulator>;

  before(async function () {
    const opened = await SshdRental.open(this, {
      id: 'akash',
      key: AKASH_KEY,
      // An order names its disk: 50 GB.
      gpu: { name: 'NVIDIA GeForce RTX 4090', memoryMiB: 24_576, freeDiskGiB: 60 },
      build: machines =>
        new AkashSimulator({
          clock: systemClock,
          machines,
          lies: { bidsAfterMs: BIDS_AFTER_MS, undelivered: 1 },
        }),
    });
    rental = close.use(opened);
  });
  after(() => close.disposeAsync());

  const asked = (method: string, path: string): number =>
    rental.simulator.asked.filter(request => request.method === method && request.path === path).length;
  const dieAndComeBack = async (): Promise<void> => {
    await rental.home.kill();
    await rental.home.start();
  };

  it('is ordered once, though the daemon dies before there is a bid, and is expected to cost the same', async () => {
    const { home } = rental;
    const { id } = await home.rent(
      { filter: { providers: ['akash'], gpuModels: ['RTX 4090'] }, engine: 'single', idleMs: 0 },
      'akash',
    );
    rental.cluster = await home.untilCluster(id, 'it is ordered', ({ nodes: [node] }) =>
      Boolean(node?.attempts[0]?.instanceId),
    );
    const expected = rental.attempt.pricePerHourMicroUsd;
    assert.ok(parseMicroUsd(expected) > 0n);
    await dieAndComeBack();
    assert.equal(asked('POST', '/v1/leases'), 0, 'there is no lease yet');
    rental.cluster = await home.untilCluster(
      id,
      'it is known again',
      ({ nodes: [node] }) => node !== undefined,
    );
    assert.equal(rental.attempt.pricePerHourMicroUsd, expected);
    assert.equal(rental.rented.usage.ratePerHourMicroUsd, '0', 'an order costs nothing');
  });

  it('is leased once, though its manifest is lost and the daemon dies again, and runs a cell', async () => {
    await until('it is leased', () => asked('POST', '/v1/leases') > 0);
    await dieAndComeBack();
    const { home, simulator } = rental;
    const { id: clusterId } = rental.rented;
    const ready = await home.untilCluster(
      clusterId,
      'it is ready',
      ({ phase }) => phase === 'ready',
      420_000,
    );
    rental.cluster = ready;
    assert.equal(asked('POST', '/v1/deployments'), 1);
    assert.ok(asked('POST', '/v1/leases') >= 2, 'the manifest was sent again');
    assert.deepEqual(
      simulator.rentals().map(({ id, endedAtMs }) => [id, endedAtMs]),
      [[rental.attempt.instanceId, null]],
    );
    assert.ok(!ready.nodes[0]?.machine?.warnings.includes('host key not proved'));
    rental.page = await NotebookPage.open(home, ready, await startKernel(home, ready));
    assert.equal(await rental.page.result('print(40 + 2)'), '42\n');
  });

  it('holds no login of its network, no secret that was not given to it, and nothing that opens anything', async () => {
    await rental.holdsNothingSecret();
  });

  it('is ended, counted as the chain bills it, its deposit is back, and nothing of it is left', async () => {
    const { over, billed } = await rental.end();
    // It is paid by the block, and a moment of the chain may be up to one ahead of this computer's.
    await until('it is counted as it is billed', async () => {
      const { usage } = await rental.home.api.clusters.get({ clusterId: over.id });
      const difference = parseMicroUsd(usage.accruedMicroUsd) - billed;
      // A price of an hour is rounded up once.
      return difference >= 0n && difference <= 10n;
    });
    assert.equal(over.usage.comesBackMicroUsd, undefined, 'nothing of the deposit is left there');
    await rental.leavesNothing();
  });
});
