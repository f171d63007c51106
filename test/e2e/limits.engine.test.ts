/** What stops spending: the agent alone while the daemon is dead, and the cap with what was to be saved. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type Cluster,
  costOver,
  type Offer,
  parseMicroUsd,
  type QuoteRequest,
  watchdogConfigSchema,
} from '@hitch/contract';
import type { Rental } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsRealNodes, nodeProcesses } from '../support/processes.ts';
import { delay, until } from '../support/waiting.ts';

const SETTINGS = {
  HITCH_PROVIDERS: 'sandbox',
  HITCH_SANDBOX_BOOT_MS: '300',
  HITCH_SANDBOX_STOCK: '50',
};
/** Until everything runs that the agents are to end. */
const FAR_AWAY_MS = 3_600_000;
/** Room to tell the agents on a busy machine. */
const STOPS_AFTER_MS = 30_000;
/** An agent looks every few seconds, and gives what runs a moment to end. */
const ENDS_WITHIN_MS = 120_000;

const IDLE_MS = 60_000;

const refOf = (cluster: Cluster): string => cluster.nodes[0]?.attempts.at(-1)?.ref ?? '';

async function cheapOffer(home: DaemonHome, endsBillingAlone: boolean): Promise<Offer> {
  const { offers } = await home.api.offers.query({ filter: { providers: ['sandbox'] } });
  const found = offers.find(offer => offer.endsBillingAlone === endsBillingAlone);
  assert.ok(found);
  return found;
}

/** As an agent has written it down; null where it is not there, or not whole. */
function stopTimeIn(file: string): number | null {
  try {
    return watchdogConfigSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).stopAtMs;
  } catch {
    return null;
  }
}

function rentalOf(home: DaemonHome, cluster: Cluster): Rental & { readonly endedAtMs: number } {
  const rental = home.ledger().find(({ ref }) => ref === refOf(cluster));
  assert.ok(rental !== undefined && rental.endedAtMs !== null, `the rental of ${cluster.name} has ended`);
  return { ...rental, endedAtMs: rental.endedAtMs };
}

/** What the market takes for a rental that is over. */
const billOf = ({ pricePerHourMicroUsd, boughtAtMs, endedAtMs }: Rental & { readonly endedAtMs: number }) =>
  costOver(parseMicroUsd(pricePerHourMicroUsd), endedAtMs - boughtAtMs);

describe('limits of real machines', function () {
  this.timeout(300_000);
  const home = new DaemonHome(SETTINGS);
  const saveTo = join(tmpdir(), `he-saved-${randomBytes(6).toString('hex')}`);

  before(async function () {
    needsRealNodes(this);
    await home.start();
  });

  after(async () => {
    await home.dispose();
    rmSync(saveTo, { recursive: true, force: true });
  });

  const rentNotebook = async (request: Partial<QuoteRequest>, name: string): Promise<Cluster> => {
    const { id } = await home.rent(request, name);
    return home.untilKernel(id);
  };

  describe('while the daemon is dead', () => {
    const clusters: { alone?: Cluster; attended?: Cluster; idle?: Cluster } = {};
    const idleSave = join(saveTo, 'idle');
    let stopAtMs = 0;
    let restartedAtMs = 0;

    const given = (name: keyof typeof clusters): Cluster => {
      const cluster = clusters[name];
      assert.ok(cluster, 'the clusters were rented');
      return cluster;
    };

    before(async () => {
      const farAway = { stopAtMs: Date.now() + FAR_AWAY_MS, idleMs: 0 };
      const [alone, attended] = [await cheapOffer(home, true), await cheapOffer(home, false)];
      clusters.alone = await rentNotebook({ offerIds: [alone.id], ...farAway }, 'alone');
      clusters.attended = await rentNotebook({ offerIds: [attended.id], ...farAway }, 'attended');
      // Busy for ever, with a process in a session of its own: neither keeps a node alive past its stop time.
      for (const cluster of [given('alone'), given('attended')]) {
        const page = await NotebookPage.open(home, cluster, await startKernel(home, cluster));
        const cell = page.run(
          "import subprocess, time\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)\nprint('busy')\ntime.sleep(1000)",
        );
        await until('the cell runs', () => cell.text === 'busy\n');
        page.leave();
      }
      // Last of all: the daemon, which ends an idle cluster itself, must be dead before it has been idle for long enough.
      clusters.idle = await rentNotebook(
        { offerIds: [attended.id], idleMs: IDLE_MS, save: { paths: ['result.txt'], toFolder: idleSave } },
        'idle',
      );
      writeFileSync(join(home.machineFolder(refOf(clusters.idle)), 'work', 'result.txt'), 'forty-two');
      stopAtMs = Date.now() + STOPS_AFTER_MS;
      for (const cluster of [given('alone'), given('attended')]) {
        await home.api.clusters.extend({ clusterId: cluster.id, stopAtMs });
        const file = join(home.machineFolder(refOf(cluster)), 'state', 'run', 'watchdog.json');
        await until(`the agent of ${cluster.name} knows`, () => stopTimeIn(file) === stopAtMs);
      }
      await until('the market knows', () =>
        home.ledger().some(({ ref, endAtMs }) => ref === refOf(given('alone')) && endAtMs === stopAtMs),
      );
      await home.kill();
      assert.ok(Date.now() < stopAtMs, 'the agents knew before the stop time');
      assert.ok(nodeProcesses(refOf(given('alone'))).length >= 4);
    });

    it('each agent ends its node by itself when the stop time comes, and not before', async () => {
      await delay(Math.max(0, stopAtMs - 2_000 - Date.now()));
      for (const name of ['alone', 'attended'] as const) {
        const runs = nodeProcesses(refOf(given(name))).length > 0;
        assert.ok(runs || Date.now() >= stopAtMs, `${name} runs until its stop time`);
      }
      for (const name of ['alone', 'attended'] as const) {
        await until(
          `nothing of ${name} runs`,
          () => nodeProcesses(refOf(given(name))).length === 0,
          Math.max(0, stopAtMs - Date.now()) + ENDS_WITHIN_MS,
        );
      }
    });

    it('an agent ends its node by itself when nothing works on it for long enough', async () => {
      await until(
        'nothing of idle runs',
        () => nodeProcesses(refOf(given('idle'))).length === 0,
        IDLE_MS + ENDS_WITHIN_MS,
      );
    });

    it('the next daemon says so, gives the machines back and leaves nothing', async () => {
      await delay(3_000);
      restartedAtMs = Date.now();
      await home.start();
      for (const name of ['alone', 'attended'] as const) {
        const over = await home.untilOver(given(name).id);
        assert.equal(over.phase, 'expired');
        assert.equal(over.message, 'Its stop time was reached.');
        assert.equal(over.conditions.cleanup.status, 'yes');
        assert.deepEqual(home.leftovers([over]), []);
      }
    });

    it('the next daemon brings an idle node back for its files alone, and says why it ended', async () => {
      const over = await home.untilOver(given('idle').id);
      assert.equal(over.phase, 'expired');
      assert.equal(over.message, 'It was idle.');
      assert.equal(readFileSync(join(idleSave, 'result.txt'), 'utf8'), 'forty-two');
      const events = await home.api.clusters.events({ clusterId: over.id, limit: 1000 });
      const revived = events.filter(
        ({ atMs, value }) => atMs >= restartedAtMs && value.startsWith('kernel:yes'),
      );
      assert.deepEqual(revived, [], 'no notebook was started again on it');
      assert.deepEqual(home.leftovers([over]), []);
    });

    it('the market’s bill ended alone where the offer says so, and with the daemon’s return where not', async () => {
      const [alone, attended] = [rentalOf(home, given('alone')), rentalOf(home, given('attended'))];
      assert.ok(
        alone.endedAtMs >= stopAtMs && alone.endedAtMs < restartedAtMs,
        'ended while nobody was there',
      );
      assert.ok(attended.endedAtMs >= restartedAtMs, 'billed until somebody could end it');
      for (const [name, rental] of [
        ['alone', alone],
        ['attended', attended],
      ] as const) {
        const { accruedMicroUsd, ratePerHourMicroUsd } = await home.api.usage.get({
          clusterId: given(name).id,
        });
        assert.equal(ratePerHourMicroUsd, '0');
        assert.equal(accruedMicroUsd, billOf(rental).toString(), `${name} shows what the market takes`);
      }
    });
  });

  describe('when something is to be saved', () => {
    const files: Readonly<Record<string, Buffer>> = {
      'model.bin': randomBytes(5_000_003),
      'results/deep/er/table.csv': Buffer.from('a,b\n1,2\n'),
      'results/empty': Buffer.alloc(0),
      'results/mit Leerzeichen und Ümlaut.txt': Buffer.from('ja\n'),
    };
    const save = (name: string) => ({ paths: ['model.bin', 'results'], toFolder: join(saveTo, name) });

    /** A cell writes the files where a person's would. */
    const writeFiles = async (cluster: Cluster): Promise<void> => {
      const work = join(home.machineFolder(refOf(cluster)), 'work');
      for (const [path, bytes] of Object.entries(files)) {
        mkdirSync(dirname(join(work, path)), { recursive: true });
        writeFileSync(join(work, path), bytes);
      }
      writeFileSync(join(work, 'not-asked-for.txt'), 'no');
    };
    const checkSaved = (cluster: Cluster): void => {
      const folder = cluster.save.toFolder ?? '';
      for (const [path, bytes] of Object.entries(files)) {
        const saved = readFileSync(join(folder, path));
        const hash = (content: Buffer) => createHash('sha256').update(content).digest('hex');
        assert.equal(hash(saved), hash(bytes), path);
      }
      assert.deepEqual([...cluster.saved].sort(), cluster.save.paths.map(path => join(folder, path)).sort());
      assert.throws(() => statSync(join(folder, 'not-asked-for.txt')));
    };

    it('files named for saving arrive whole before the machine is destroyed', async () => {
      const cluster = await rentNotebook({ save: save('stopped') }, 'saves');
      await writeFiles(cluster);
      await home.api.clusters.stop({ clusterId: cluster.id });
      const over = await home.untilOver(cluster.id);
      assert.equal(over.phase, 'stopped');
      checkSaved(over);
      assert.deepEqual(home.leftovers([over]), []);
    });

    it('a cluster that comes to its cap saves and ends inside it', async () => {
      const cluster = await rentNotebook({ save: save('capped') }, 'capped');
      await writeFiles(cluster);
      const { committedMicroUsd, ratePerHourMicroUsd } = await home.api.usage.get({ clusterId: cluster.id });
      const room = costOver(parseMicroUsd(ratePerHourMicroUsd), 4_000);
      const cap = parseMicroUsd(committedMicroUsd) + room;
      await home.api.clusters.extend({ clusterId: cluster.id, capMicroUsd: cap.toString() });
      const over = await home.untilOver(cluster.id);
      assert.equal(over.phase, 'expired');
      assert.equal(over.message, 'Its spending limit was reached.');
      checkSaved(over);
      const bill = billOf(rentalOf(home, over));
      assert.ok(bill > 0n && bill <= cap, `${bill.toString()} of ${cap.toString()}`);
      assert.equal(over.usage.accruedMicroUsd, bill.toString());
      assert.deepEqual(home.leftovers([over]), []);
    });
  });
});
