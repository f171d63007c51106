/** Jobs that rent their own machine: one yes, nothing bought twice, nothing left, whatever dies when. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HitchError, type Job, type JobId, type Offer, parseMicroUsd } from '@hitch/contract';
import type { PracticeOptions } from '../clusters/practice.ts';
import { filesFolder } from '../../src/jobs/rented/files.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import { RentedRig } from './rented-rig.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** Prices of the practice market move with the hour. */
const priced = { maxNodePricePerHourMicroUsd: '40000' };

describe('A job that rents', function () {
  // Days of virtual time go by, on a computer that may be busy.
  this.timeout(300_000);
  const rigs: RentedRig[] = [];
  const rig = async (
    options: PracticeOptions = {},
    stepsToLive = Infinity,
    takes = 0,
  ): Promise<RentedRig> => {
    const made = new RentedRig(options);
    made.takes = takes;
    rigs.push(made);
    return made.open(stepsToLive);
  };
  afterEach(() => rigs.splice(0).forEach(each => each.dispose()));

  /** What must hold at the end of every story. @returns the job. */
  async function endsClean(here: RentedRig, id: JobId, machines: number): Promise<Job> {
    await here.untilStage(id, 'over', 30 * HOUR);
    const job = await here.job(id);
    const { practice } = here;
    assert.equal(practice.billing().length, 0, 'nothing bills');
    assert.equal(practice.market.rentals().length, machines, 'machines that were bought');
    assert.equal(job.rental?.machinesLeft, 0);
    if (machines > 0) {
      const billed = here.billed();
      assert.equal(parseMicroUsd(job.costMicroUsd ?? '0'), billed, 'the meter is the market’s');
      assert.ok(billed <= parseMicroUsd(job.rental.limits.capMicroUsd), 'inside what was approved');
    }
    return job;
  }

  it('rents, runs, saves and deletes its machine', async () => {
    const here = await rig();
    const id = await here.begin();
    const job = await endsClean(here, id, 1);
    assert.equal(job.state, 'succeeded');
    assert.equal(job.rental?.message, '');
    assert.equal(job.rental?.saved.length, 1);
    assert.match(job.rental?.saved[0] ?? '', /out$/);
  });

  it('is one job and one machine when the yes is said twice', async () => {
    const here = await rig();
    const { id } = await here.quote();
    assert.ok(here.quotes !== null);
    await here.practice.pass(Promise.all([here.quotes.approve(id), here.quotes.approve(id)]));
    await here.practice.pass(here.quotes.approve(id));
    await endsClean(here, id, 1);
  });

  it('has its name again at once where the person said no, and not once it was approved', async () => {
    const here = await rig();
    const folder = join(here.folder, 'code');
    mkdirSync(folder);
    const work = {
      kind: 'program' as const,
      spec: { work: { kind: 'command' as const, command: ['true'] } },
      folder,
    };
    const { id } = await here.quote({ name: 'mine', work });
    await assert.rejects(here.quote({ name: 'mine' }), /There is a job mine already/);
    await here.quotes?.discard(id);
    assert.equal(existsSync(filesFolder(here.folder, id)), false);
    const begun = await here.begin({ name: 'mine', work });
    await here.quotes?.discard(begun);
    await here.quotes?.discard(id);
    assert.ok(existsSync(filesFolder(here.folder, begun)));
    await endsClean(here, begun, 1);
  });

  it('says before the yes all that the yes covers', async () => {
    const here = await rig();
    const { lines, limits } = await here.quote({ replacements: 3 });
    assert.equal(limits.replacements, 3);
    const text = lines.join('\n');
    assert.match(text, /^Rent .*\?$/m);
    assert.match(text, /Runs python train\.py/);
    assert.match(
      text,
      /up to 3 others, each at most \$[\d.]+\/h, all inside \$2\.00 and 4 h, waiting up to 10 min for it/,
    );
    assert.match(text, /saving is tried for up to 30 min/);
  });

  it('ends as the job does, and saves what a failed one left', async () => {
    const here = await rig();
    here.exitCode = 3;
    const job = await endsClean(here, await here.begin(), 1);
    assert.equal(job.state, 'failed');
    assert.equal(job.runs.at(-1)?.exitCode, 3);
    assert.equal(job.rental?.saved.length, 1);
  });

  it('deletes the machine when saving fails, after the time that was agreed, and says what is missing', async () => {
    const here = await rig({
      files: async (_request, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    });
    const id = await here.begin({ saveWithinMs: 20 * MINUTE });
    await here.practice.until(() => here.record(id)?.state === 'succeeded', 5 * HOUR);
    const atMs = here.practice.clock.now();
    const job = await endsClean(here, id, 1);
    assert.ok(here.practice.clock.now() - atMs < 40 * MINUTE, 'not as long as the money would last');
    assert.equal(job.state, 'succeeded');
    assert.match(job.rental?.message ?? '', /was saved|saved/);
    assert.notEqual(job.rental?.message, '');
  });

  it('ends where its machine never takes all of its files, and pays no longer for it', async () => {
    const here = await rig();
    const folder = join(here.folder, 'code');
    mkdirSync(folder);
    writeFileSync(join(folder, 'train.py'), 'print(1)');
    here.sendProblem = new HitchError('CONFLICT', 'Not all was copied: 1 files or folders are missing.');
    const id = await here.begin({
      work: {
        kind: 'program',
        spec: { work: { kind: 'command', command: ['python', 'train.py'] } },
        folder,
      },
    });
    await here.untilStage(id, 'sending');
    const atMs = here.practice.clock.now();
    const job = await endsClean(here, id, 1);
    assert.equal(job.state, 'failed');
    assert.match(job.message, /^Its files could not be sent: Not all was copied/);
    assert.ok(here.sent.length > 1, 'it is tried again');
    assert.ok(here.practice.clock.now() - atMs < 10 * MINUTE, 'not as long as the money lasts');
  });

  it('has its files though the quote of it grows old while the yes is written', async () => {
    const here = await rig();
    const folder = join(here.folder, 'code');
    mkdirSync(folder);
    writeFileSync(join(folder, 'train.py'), 'print(1)');
    const work = {
      kind: 'program' as const,
      spec: { work: { kind: 'command' as const, command: ['python', 'train.py'] } },
      folder,
    };
    const { id, expiresAtMs } = await here.quote({ work });
    const { clock } = here.practice;
    clock.jump(expiresAtMs - clock.now() - 1);
    const approved = here.quotes?.approve(id) ?? Promise.reject(new Error('not open'));
    clock.jump(2);
    await here.quote({ work });
    await here.practice.pass(approved);
    assert.ok(existsSync(join(filesFolder(here.folder, id), 'train.py')));
  });

  it('is ended at its spending limit', async () => {
    const here = await rig();
    here.exitCode = null;
    const rent = { capMicroUsd: '30000', stopAtMs: here.practice.clock.now() + 24 * HOUR };
    const job = await endsClean(here, await here.begin({ rent }), 1);
    assert.equal(job.state, 'stopped');
    assert.match(job.rental?.message ?? '', /spending limit of \$0\.03/);
  });

  it('is ended when its time is over, counted from its first machine on', async () => {
    const here = await rig();
    here.exitCode = null;
    const atMs = here.practice.clock.now();
    const job = await endsClean(here, await here.begin({ replacements: 1 }), 1);
    assert.equal(job.state, 'stopped');
    assert.equal(job.rental?.message, 'It was ended when its time was over.');
    const tookMs = here.practice.clock.now() - atMs;
    assert.ok(tookMs >= 4 * HOUR && tookMs < 5 * HOUR, `it took ${tookMs} ms`);
  });

  for (const stage of ['renting', 'running'] as const) {
    it(`is stopped by a person while it is ${stage}`, async () => {
      const here = await rig();
      here.exitCode = null;
      const id = await here.begin();
      await here.untilStage(id, stage);
      await here.stop(id);
      const job = await endsClean(here, id, stage === 'running' ? 1 : here.practice.market.rentals().length);
      assert.equal(job.state, 'stopped');
    });
  }

  describe('whose machine is lost', () => {
    it('goes on with another, and pays no more than was approved for both', async () => {
      const here = await rig({}, Infinity, 1);
      const id = await here.begin({ replacements: 2 });
      const job = await endsClean(here, id, 2);
      assert.equal(job.state, 'succeeded');
      assert.deepEqual(
        job.runs.map(({ number, cause }) => [number, cause]),
        [
          [1, 'lost'],
          [2, 'finished'],
        ],
      );
      assert.equal(job.rental?.replaced, 1);
    });

    it('spends no more on both than was approved for one', async () => {
      const here = await rig({}, Infinity, 1);
      here.exitCode = null;
      here.takesAfterMs = HOUR;
      const rent = { ...priced, capMicroUsd: '100000', stopAtMs: here.practice.clock.now() + 24 * HOUR };
      const job = await endsClean(here, await here.begin({ rent, replacements: 1 }), 2);
      assert.match(job.rental?.message ?? '', /spending limit/);
    });

    it('has failed where no other was approved', async () => {
      const here = await rig({}, Infinity, 1);
      const job = await endsClean(here, await here.begin(), 1);
      assert.equal(job.state, 'failed');
      assert.match(job.rental?.message ?? '', /took the machine back/);
    });

    it('has failed once the last of them is lost too', async () => {
      const here = await rig({}, Infinity, 5);
      const job = await endsClean(here, await here.begin({ replacements: 2 }), 3);
      assert.equal(job.state, 'failed');
      assert.match(job.rental?.message ?? '', /2 were rented in its place/);
    });

    it('takes no machine that costs more than was approved', async () => {
      const here = await rig({}, Infinity, 1);
      const id = await here.begin({ replacements: 2 });
      await here.untilStage(id, 'running');
      const { market } = here.practice;
      const offers = market.offers.bind(market);
      market.offers = async signal =>
        (await offers(signal)).map(offer => ({
          ...offer,
          pricePerHourMicroUsd: (parseMicroUsd(offer.pricePerHourMicroUsd) * 100n).toString(),
        }));
      await here.practice.stockUp();
      const job = await endsClean(here, id, 1);
      assert.equal(job.state, 'failed');
      assert.match(job.rental?.message ?? '', /^No machine came in time\./);
    });

    it('takes none on other terms than those that were shown', async () => {
      const plain = ({ trust, market, endsBillingAlone }: Offer) => ({
        isTrusted: trust === 'data_center' || trust === 'own',
        staysOurs: market === 'on_demand',
        endsBillingAlone,
      });
      const terms = ['isTrusted', 'staysOurs', 'endsBillingAlone'] as const;
      for (const lacking of terms) {
        const here = await rig({}, Infinity, 1);
        const { market } = here.practice;
        const offers = market.offers.bind(market);
        const only = async (fits: (offer: Offer) => boolean): Promise<void> => {
          market.offers = async signal => (await offers(signal)).filter(fits);
          await here.practice.stockUp();
          assert.ok((await market.offers(new AbortController().signal)).length > 0, lacking);
        };
        await only(offer => terms.every(term => plain(offer)[term]));
        const rent = { maxNodePricePerHourMicroUsd: '50000000', capMicroUsd: '200000000' };
        const id = await here.begin({ rent, replacements: 2 });
        await here.untilStage(id, 'running');
        await only(offer => terms.every(term => plain(offer)[term] === (term !== lacking)));
        const job = await endsClean(here, id, 1);
        assert.equal(job.state, 'failed', lacking);
        assert.match(job.rental?.message ?? '', /^No machine came in time\./);
        here.dispose();
      }
    });
  });

  describe('where nothing is offered', () => {
    const none = (here: RentedRig): (() => Promise<void>) => {
      const { market } = here.practice;
      const offers = market.offers.bind(market);
      market.offers = () => Promise.resolve([]);
      return async () => {
        market.offers = offers;
        await here.practice.stockUp();
      };
    };

    it('is refused, unless it may wait', async () => {
      const here = await rig();
      none(here);
      await here.practice.stockUp();
      await assert.rejects(
        here.quote(),
        (error: unknown) => error instanceof HitchError && error.code === 'NO_OFFERS',
      );
      await assert.rejects(here.quote({ waitMs: HOUR }), /a highest price is needed/);
    });

    it('waits as long as was agreed, and has bought nothing then', async () => {
      const here = await rig();
      none(here);
      await here.practice.stockUp();
      const { lines } = await here.quote({
        rent: { ...priced, secrets: ['HF_TOKEN'], filter: { markets: ['on_demand'] } },
        waitMs: 2 * HOUR,
      });
      const text = lines.join('\n');
      assert.match(text, /waits up to 2 h for one of at most \$0\.04\/h/);
      assert.match(text, /^Secrets it can read: HF_TOKEN$/m);
      assert.match(text, /^Saved to this computer: ~\/work\/out$/m);
      assert.match(text, /may keep running and billing past its limits/);
      assert.match(text, /^Community host: it may be/m);
      assert.doesNotMatch(text, /^Spot:/m, 'which was not asked for');
      const id = await here.begin({ rent: priced, waitMs: 2 * HOUR });
      const job = await endsClean(here, id, 0);
      assert.equal(job.state, 'failed');
      assert.match(job.rental?.message ?? '', /^No machine came in time\./);
      assert.equal(job.costMicroUsd, '0');
    });

    it('rents nothing for a computer that slept past the time that it was to wait', async () => {
      const here = await rig();
      const back = none(here);
      await here.practice.stockUp();
      const id = await here.begin({ rent: priced, waitMs: 2 * HOUR });
      await here.practice.run(HOUR);
      here.close();
      here.practice.clock.jump(8 * HOUR);
      await here.open();
      await back();
      const job = await endsClean(here, id, 0);
      assert.equal(job.state, 'failed');
      assert.match(job.rental?.message ?? '', /^No machine came in time\./);
    });

    it('rents nothing a day after a yes that was not to wait', async () => {
      const here = await rig();
      // The yes is written, and nothing after it.
      const { id } = await here.quote();
      await here.practice.pass(here.quotes?.approve(id) ?? Promise.reject(new Error('not open')));
      assert.equal(here.stage(id), 'waiting');
      here.close();
      here.practice.clock.jump(24 * HOUR);
      await here.open();
      const job = await endsClean(here, id, 0);
      assert.equal(job.state, 'failed');
    });

    it('rents what is offered in time', async () => {
      const here = await rig();
      const back = none(here);
      await here.practice.stockUp();
      const id = await here.begin({ rent: priced, waitMs: 5 * HOUR });
      await here.practice.run(HOUR);
      assert.equal(here.stage(id), 'waiting');
      await back();
      const job = await endsClean(here, id, 1);
      assert.equal(job.state, 'succeeded');
    });

    it('goes on waiting when what was offered is gone, without another approval', async () => {
      const here = await rig();
      const { market } = here.practice;
      const rent = market.rent.bind(market);
      let refusals = 0;
      market.rent = (order, signal) => {
        refusals += 1;
        return refusals > 12
          ? rent(order, signal)
          : Promise.reject(new ProviderError('capacity', 'That offer is gone.'));
      };
      const job = await endsClean(here, await here.begin({ rent: priced, waitMs: 5 * HOUR }), 1);
      assert.equal(job.state, 'succeeded', job.rental?.message);
      assert.equal(job.rental?.replaced, 0);
      assert.ok(refusals > 12);
    });

    it('is stopped while it waits', async () => {
      const here = await rig();
      none(here);
      await here.practice.stockUp();
      const id = await here.begin({ rent: priced, waitMs: 5 * HOUR });
      await here.practice.run(HOUR);
      await here.stop(id);
      const job = await endsClean(here, id, 0);
      assert.equal(job.state, 'stopped');
    });
  });

  describe('with a daemon that dies at each thing that it waits for', () => {
    /** @returns how many steps a daemon takes for it when nothing dies. */
    async function stepsOf(takes: number): Promise<number> {
      const here = await rig({}, Infinity, takes);
      const id = await here.begin({ replacements: 2 });
      await here.untilStage(id, 'over', 30 * HOUR);
      return here.life.steps;
    }

    for (const [name, takes] of [
      ['', 0],
      [' and a machine that is lost', 1],
    ] as const) {
      it(`buys nothing twice and leaves nothing${name}`, async () => {
        const steps = await stepsOf(takes);
        assert.ok(steps >= 12, `${steps} steps`);
        for (let dies = 1; dies <= steps; dies++) {
          const here = await rig({}, dies, takes);
          const { id } = await here.quote({ replacements: 2 });
          const approved = here.quotes?.approve(id) ?? Promise.reject(new Error('not open'));
          approved.catch(() => undefined);
          await here.practice.until(() => here.life.dead || here.stage(id) === 'over', 30 * HOUR);
          assert.ok(here.life.dead || dies === steps, `it dies at step ${dies} of ${steps}`);
          here.close();
          await here.open();
          if (here.record(id) === undefined) {
            // It died before the yes was written: nothing was begun.
            assert.equal(here.practice.market.rentals().length, 0);
            continue;
          }
          const job = await endsClean(here, id, 1 + takes);
          assert.equal(
            job.state,
            'succeeded',
            `after death ${dies} of ${steps}: ${job.rental?.message ?? ''}`,
          );
          here.dispose();
        }
      });
    }
  });
});
