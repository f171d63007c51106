/** What a network bills, held against what was counted: over the practice market, which keeps books of its own. */
import assert from 'node:assert/strict';
import { type Cluster, parseMicroUsd } from '@hitch/contract';
import type { BillLine, Provider } from '../../src/providers/provider.ts';
import { wrap } from './faulty.ts';
import { Practice } from './practice.ts';

const HOUR_MS = 3_600_000;

interface Books {
  /** What the market's lines become on their way. */
  change: (line: BillLine) => BillLine;
  /** Lines beside the market's. */
  more: () => readonly BillLine[];
  asked: number;
  fails: boolean;
  /** It does not say what is left of the account. */
  hidesAccount: boolean;
}

const opened: Practice[] = [];

/** A cluster that runs for an hour, at a market whose bill a test can change. */
async function anHour(limits: { readonly capMicroUsd?: string } = {}) {
  const books: Books = { change: line => line, more: () => [], asked: 0, fails: false, hidesAccount: false };
  const wrapProvider = (provider: Provider): Provider =>
    wrap(provider, {
      account: async (signal, login) => {
        if (books.hidesAccount || provider.account === undefined) {
          throw new Error('This key may not see the account.');
        }
        return provider.account(signal, login);
      },
      bill: async (fromMs, toMs, signal) => {
        books.asked += 1;
        if (books.fails) {
          throw new Error('The books are closed.');
        }
        const lines = (await provider.bill?.(fromMs, toMs, signal)) ?? [];
        return [...lines.map(line => books.change(line)), ...books.more()];
      },
    });
  const practice = await new Practice({ wrapProvider }).open();
  opened.push(practice);
  const { id } = await practice.rent({
    stopAtMs: practice.clock.now() + 5 * HOUR_MS,
    idleMs: 0,
    // Dear enough that a hundredth of an hour is more than a cent.
    filter: { gpuModels: ['H100'], minGpuCount: 4 },
    ...limits,
  });
  const ready = await practice.untilPhase(id, 'ready');
  await practice.run(HOUR_MS);
  const look = async () => {
    await practice.pass(practice.bills.look());
    return practice.bills.of('sandbox');
  };
  const warnings = async () =>
    (await practice.pass(practice.service.events(id, 0, 1000))).filter(
      ({ value }) => value === 'bill_differs',
    );
  return { practice, books, cluster: ready, look, warnings };
}

const times =
  (factor: bigint) =>
  (line: BillLine): BillLine => ({ ...line, amountMicroUsd: (line.amountMicroUsd * factor) / 10n });

afterEach(() => opened.splice(0).forEach(practice => practice.close()));

async function stop(practice: Practice, { id }: Cluster): Promise<void> {
  await practice.pass(practice.service.stop(id, { skipSave: true }));
  await practice.until(() => practice.service.get(id).conditions.cleanup.status === 'yes', 4 * HOUR_MS);
}

describe('a network’s bill', () => {
  it('agrees to the micro-dollar with what was counted, while it runs and after', async () => {
    const { practice, books, cluster, look, warnings } = await anHour();
    const [during] = await look();
    assert.ok(during !== undefined);
    assert.equal(during.clusterName, cluster.name);
    assert.ok(parseMicroUsd(during.countedMicroUsd) > 0n);
    assert.equal(during.billedMicroUsd, during.countedMicroUsd);
    await stop(practice, cluster);
    practice.clock.jump(23 * HOUR_MS);
    const [after] = await look();
    assert.equal(after?.billedMicroUsd, after?.countedMicroUsd);
    // What is not known by its mark is by its id: each line counts once.
    const instanceId = practice.market.rentals()[0]?.id ?? '';
    books.change = line => ({ ...line, mark: null, instanceId });
    const [byId] = await look();
    assert.equal(byId?.billedMicroUsd, byId?.countedMicroUsd);
    assert.equal(after?.warning, null);
    assert.deepEqual(await warnings(), []);
    practice.clock.jump(2 * HOUR_MS);
    assert.deepEqual(await look(), [], 'a day later it is not looked at any more');
  });

  it('that says more than was counted is a warning with both, once', async () => {
    const { books, cluster, look, warnings } = await anHour();
    books.change = times(12n);
    const [check] = await look();
    assert.match(
      check?.warning ?? '',
      /^Practice market billed \$[\d.]+ for .*; Hitch counted \$[\d.]+\. .*: \$[\d.]+ billed, \$[\d.]+ counted\.$/,
    );
    assert.ok(check?.warning?.includes(cluster.name));
    await look();
    assert.deepEqual(
      (await warnings()).map(({ message }) => message),
      [check?.warning],
    );
  });

  it('that says less is late for a day, and then a warning', async () => {
    const { practice, books, cluster, look, warnings } = await anHour();
    books.change = times(5n);
    assert.equal((await look())[0]?.warning, null);
    await stop(practice, cluster);
    assert.equal((await look())[0]?.warning, null);
    practice.clock.jump(23 * HOUR_MS);
    assert.match((await look())[0]?.warning ?? '', /billed/);
    assert.equal((await warnings()).length, 1);
  });

  it('that differs by no more than 1 % agrees', async () => {
    const { books, look } = await anHour();
    const by = (thousandths: bigint) => (line: BillLine) => ({
      ...line,
      amountMicroUsd: (line.amountMicroUsd * (1_000n + thousandths)) / 1_000n,
    });
    books.change = by(9n);
    const [check] = await look();
    assert.notEqual(check?.billedMicroUsd, check?.countedMicroUsd);
    assert.equal(check?.warning, null);
    books.change = by(11n);
    assert.notEqual((await look())[0]?.warning, null);
  });

  it('says which part it charged that was not counted, or more of', async () => {
    const { practice, books, cluster, look } = await anHour({ capMicroUsd: '100000000' });
    const extra: BillLine[] = [];
    books.more = () => extra;
    const instanceId = practice.market.rentals()[0]?.id ?? '';
    extra.push({ mark: null, instanceId, label: 'Uploads', amountMicroUsd: 4_000_000n });
    const [traffic] = await look();
    assert.match(traffic?.warning ?? '', /\. \$4\.00 of it is for Uploads, which Hitch does not count\.$/);
    extra.splice(0);
    const hourly = parseMicroUsd(practice.service.usage(cluster.id).ratePerHourMicroUsd);
    books.change = line => ({ ...line, amountMicroUsd: 2n * hourly });
    assert.match(
      (await look())[0]?.warning ?? '',
      /: \$[\d.]+ billed, \$[\d.]+ counted: it bills whole hours\.$/,
    );
  });

  it('that cannot be had leaves what was said last', async () => {
    const { books, look } = await anHour();
    const [before] = await look();
    books.fails = true;
    assert.deepEqual(await look(), [before]);
  });

  it('is had where the key may not see what is left of the account', async () => {
    const { practice, books, cluster, look } = await anHour({ capMicroUsd: '100000000' });
    assert.equal(practice.service.get(cluster.id).phase, 'ready');
    books.hidesAccount = true;
    const [check] = await look();
    // Also what is paid in any case, which was taken in the moment from which on it is asked for.
    assert.ok(check !== undefined && check.billedMicroUsd === check.countedMicroUsd);
  });

  it('is asked for every hour while something is rented, and by nobody who rents nothing', async () => {
    const { practice, books, cluster } = await anHour();
    void practice.bills.watch();
    await practice.run(2.5 * HOUR_MS);
    assert.equal(books.asked, 3, 'after a minute, and an hour after the one before');
    await stop(practice, cluster);
    practice.clock.jump(25 * HOUR_MS);
    await practice.run(1_000);
    const { asked } = books;
    await practice.run(2 * HOUR_MS);
    assert.equal(books.asked, asked, 'a day after it was over');
  });
});
