/** Several jobs by one yes: in their order, so many at once, for no more than their budget, whatever dies when. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Job, type JobId, type JobQuoteRequest, parseMicroUsd } from '@hitch/contract';
import { filesFolder } from '../../src/jobs/rented/files.ts';
import { RentedRig } from './rented-rig.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** The practice market has few machines at the lowest price. */
const priced = { maxNodePricePerHourMicroUsd: '45000' };

describe('Several jobs by one yes', function () {
  // Days of virtual time go by, on a computer that may be busy.
  this.timeout(300_000);
  const rigs: RentedRig[] = [];
  const rig = async (stepsToLive = Infinity, takes = 0): Promise<RentedRig> => {
    const made = new RentedRig();
    made.takes = takes;
    rigs.push(made);
    return made.open(stepsToLive);
  };
  afterEach(() => rigs.splice(0).forEach(each => each.dispose()));

  const spec = (step: number) => ({
    work: { kind: 'command' as const, command: ['python', 'train.py', '--step', step.toString()] },
  });
  const asked = (
    count: number,
    queue: Partial<NonNullable<JobQuoteRequest['queue']>> = {},
  ): Partial<JobQuoteRequest> => ({
    name: 'sweep',
    rent: { capMicroUsd: '100000', ...priced },
    queue: {
      budgetMicroUsd: '1000000',
      mostAtOnce: 2,
      withinMs: 24 * HOUR,
      jobs: Array.from({ length: count }, (_, at) => ({ label: `step=${at.toString()}`, spec: spec(at) })),
      ...queue,
    },
  });

  async function ids(here: RentedRig, request: Partial<JobQuoteRequest>): Promise<JobId[]> {
    const { id, queue } = await here.quote(request);
    await here.practice.pass(here.quotes?.approve(id) ?? Promise.reject(new Error('not open')));
    return (queue?.jobs ?? []).map(job => job.id);
  }

  const inSum = (jobs: readonly Job[]): bigint =>
    jobs.reduce((sum, { costMicroUsd }) => sum + parseMicroUsd(costMicroUsd ?? '0'), 0n);

  /** What must hold at the end of every story. */
  async function endClean(here: RentedRig, all: readonly JobId[], budget: bigint): Promise<Job[]> {
    await here.practice.until(() => all.every(id => here.stage(id) === 'over'), 60 * HOUR);
    const jobs: Job[] = [];
    for (const id of all) {
      jobs.push(await here.job(id));
    }
    assert.equal(here.practice.billing().length, 0, 'nothing bills');
    assert.ok(jobs.every(({ rental }) => rental?.machinesLeft === 0));
    assert.equal(inSum(jobs), here.billed(), 'the meter is the market’s');
    assert.ok(here.billed() <= budget, `${here.billed().toString()} of ${budget.toString()}`);
    return jobs;
  }

  it('run each with what it is given, no more at once than was said, in their order', async () => {
    const here = await rig();
    const all = await ids(here, asked(5));
    let most = 0;
    const begun: JobId[] = [];
    await here.practice.until(() => {
      const open = all.filter(id => ['renting', 'sending', 'running', 'lost'].includes(here.stage(id) ?? ''));
      most = Math.max(most, open.length);
      begun.push(...open.filter(id => !begun.includes(id)));
      return all.every(id => here.stage(id) === 'over');
    }, 60 * HOUR);
    assert.equal(most, 2);
    assert.deepEqual(begun, all);
    const jobs = await endClean(here, all, 1_000_000n);
    assert.deepEqual(
      jobs.map(({ name, state }) => [name, state]),
      [1, 2, 3, 4, 5].map(place => [`sweep-${place.toString()}`, 'succeeded']),
    );
    assert.deepEqual(jobs[3]?.spec.work, spec(3).work);
    assert.equal(jobs[3]?.rental?.queue?.label, 'step=3');
    assert.equal(
      new Set(jobs.flatMap(job => job.rental?.saved ?? [])).size,
      5,
      'each saves to its own place',
    );
  });

  it('say before the yes what holds for all of them, and what for each', async () => {
    const here = await rig();
    const { lines, yes } = await here.quote(asked(12));
    const text = lines.join('\n');
    assert.match(text, /^Rent machines for 12 jobs, 2 at once, for up to \$1\.00 in all\?$/m);
    assert.match(text, /^For the jobs sweep-1 to sweep-12: step=0; .*step=7 and 4 more$/m);
    assert.match(text, /No job begins later than 1 d|No job begins later than 24 h/);
    assert.match(text, /at most \$0\.10 a job/);
    assert.equal(yes, 'Run 12 jobs for up to $1.00');
  });

  it('set aside what each may cost, and give the last what is left', async () => {
    const here = await rig();
    here.exitCode = null;
    const budget = 60_000n;
    const all = await ids(here, {
      ...asked(4, { budgetMicroUsd: budget.toString(), mostAtOnce: 4 }),
      rent: { capMicroUsd: '25000', ...priced },
    });
    await here.untilStage(all[1] ?? all[0] ?? assert.fail(), 'running');
    assert.equal(here.stage(all[2] ?? assert.fail()), 'waiting');
    assert.match(here.record(all[2] ?? assert.fail())?.rental?.message ?? '', /set aside for those that run/);
    const jobs = await endClean(here, all, budget);
    assert.ok(inSum(jobs) > 50_000n, 'and what is left is used');
    assert.ok(jobs.some(({ rental }) => /budget .* used up|spending limit/.test(rental?.message ?? '')));
  });

  it('begin none when their time is over', async () => {
    const here = await rig();
    here.exitCode = null;
    const all = await ids(here, asked(2, { mostAtOnce: 1, withinMs: HOUR }));
    const [, second] = await endClean(here, all, 1_000_000n);
    assert.equal(second?.state, 'failed');
    assert.match(second.rental?.message ?? '', /Its turn did not come in the time that was approved/);
    assert.equal(second.costMicroUsd, '0');
  });

  it('go on without one that was stopped, and stop while they wait', async () => {
    const here = await rig();
    const all = await ids(here, asked(4, { mostAtOnce: 1 }));
    await here.untilStage(all[0] ?? assert.fail(), 'running');
    await here.stop(all[1] ?? assert.fail());
    const jobs = await endClean(here, all, 1_000_000n);
    assert.deepEqual(
      jobs.map(({ state }) => state),
      ['succeeded', 'stopped', 'succeeded', 'succeeded'],
    );
    assert.equal(jobs[1]?.costMicroUsd, '0');
  });

  it('share the files that were sent, which go with the last of them', async () => {
    const here = await rig();
    const folder = join(here.folder, 'code');
    mkdirSync(folder);
    writeFileSync(join(folder, 'train.py'), 'print(1)');
    const all = await ids(here, {
      ...asked(3, { mostAtOnce: 1 }),
      work: { kind: 'program', spec: { ...spec(0), outputs: ['out'] }, folder },
    });
    const shared = filesFolder(here.folder, all[0] ?? assert.fail());
    await here.untilStage(all[2] ?? assert.fail(), 'running');
    assert.deepEqual(
      here.sent.map(({ from }) => from),
      [shared, shared, shared],
    );
    assert.ok(readdirSync(shared).includes('train.py'));
    await endClean(here, all, 1_000_000n);
    assert.throws(() => readdirSync(shared), /ENOENT/);
  });

  it('refuse a notebook, and what would begin none', async () => {
    const here = await rig();
    const notebook = { label: 'a', spec: { work: { kind: 'notebook' as const, path: 'a.ipynb' } } };
    await assert.rejects(here.quote(asked(1, { jobs: [notebook] })), /A notebook is given no values/);
    await assert.rejects(here.quote(asked(1, { jobs: [{ label: 'a' }] })), /needs something to run/);
    await assert.rejects(
      here.quote({ ...asked(2), name: 'a'.repeat(60) }),
      /is too long for the name of 2 jobs/,
    );
  });

  it('replace lost machines inside the same budget', async () => {
    const here = await rig(Infinity, 2);
    const all = await ids(here, { ...asked(3), replacements: 2 });
    const jobs = await endClean(here, all, 1_000_000n);
    assert.ok(jobs.every(({ state }) => state === 'succeeded'));
    assert.equal(
      jobs.reduce((sum, { rental }) => sum + (rental?.replaced ?? 0), 0),
      2,
    );
  });

  it('buy nothing twice and stay inside their budget, with a daemon that dies at what it waits for', async () => {
    // Not enough for both at once: the second gets what the first leaves.
    const budget = 30_000n;
    const request = {
      ...asked(2, { budgetMicroUsd: budget.toString() }),
      rent: { capMicroUsd: '20000', ...priced },
    };
    const whole = await rig();
    const named = await ids(whole, request);
    await endClean(whole, named, budget);
    const { steps } = whole.life;
    assert.ok(steps >= 20, `${steps.toString()} steps`);
    // A job alone dies at each of them, in rented.test.ts; here each kind of step is met once or more.
    for (let dies = 1; dies <= steps; dies += 4) {
      const here = await rig(dies);
      const { id, queue } = await here.quote(request);
      const all = (queue?.jobs ?? []).map(job => job.id);
      const approved = here.quotes?.approve(id) ?? Promise.reject(new Error('not open'));
      approved.catch(() => undefined);
      await here.practice.until(
        () => here.life.dead || all.every(each => here.stage(each) === 'over'),
        60 * HOUR,
      );
      here.close();
      await here.open();
      const known = all.filter(each => here.record(each) !== undefined);
      assert.ok(known.length === 0 || known.length === all.length, 'all of them or none');
      const jobs = await endClean(here, known, budget);
      assert.ok(
        here.practice.market.rentals().length <= jobs.length,
        `after death ${dies.toString()} of ${steps.toString()}`,
      );
      here.dispose();
    }
  });

  it('rent nothing for a computer that slept past the time of their turns', async () => {
    const here = await rig();
    const all = await ids(here, asked(3, { mostAtOnce: 1, withinMs: 2 * HOUR }));
    await here.untilStage(all[0] ?? assert.fail(), 'running');
    here.close();
    here.practice.clock.jump(8 * HOUR);
    await here.open();
    await here.practice.run(10 * MINUTE);
    const jobs = await endClean(here, all, 1_000_000n);
    assert.deepEqual(
      jobs.slice(1).map(({ state, costMicroUsd }) => [state, costMicroUsd]),
      [
        ['failed', '0'],
        ['failed', '0'],
      ],
    );
  });
});
