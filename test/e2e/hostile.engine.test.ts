/**
 * Machines that lie about everything they are asked, beside an honest one. What they say is theirs: the daemon stays
 * small, every other cluster answers, and the liars can be stopped like any machine.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Cluster, type Job, type JobSpec, jobSpecSchema, sshAlias } from '@hitch/contract';
import { FRUGAL_ALLOCATOR } from '@hitch/platform/src/memory.ts';
import { type Random, seededRandom } from '@hitch/platform/src/random.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import {
  ENDLESS_LOG,
  IT_RUNS_AGAIN,
  ITS_END,
  jobsOfOthers,
  REFUSED_JOBS,
  WRONG_PAGES,
} from '../support/liar/job-lies.ts';
import { bytesBelow, closedSocket, peakOf } from '../support/liar/consequences.ts';
import { liesAround, liesInside, shuffled, slowLies } from '../support/liar/lies.ts';
import type { Lie, Route } from '../support/liar/lie.ts';
import { honestRoutes, type HonestRoute, Liar, LiarProgram } from '../support/liar/liars.ts';
import {
  type Ask,
  ASKED,
  checkOutcome,
  isPassedOn,
  type Outcome,
  outcomeOf,
  someOf,
} from '../support/liar/outcomes.ts';
import { UPGRADES } from '../support/liar/upgrades.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsRealNodes } from '../support/processes.ts';
import { delay, until } from '../support/waiting.ts';

const SEED = Number(process.env['HITCH_TEST_SEED'] ?? 1);
/** More of them take longer and find more. */
const LIES = Number(process.env['HITCH_TEST_LIES'] ?? 350);
const FEWEST = 300;
/**
 * Of what it took before anybody lied: how much that is in MB is the computer's matter, whose garbage is collected late while
 * others use its cores. An answer that is read without a bound takes it past any such number in a second.
 */
const MOST_MEMORY_RATIO = 2;

/** No liar runs anything. */
const jobOf = (what: string): JobSpec =>
  jobSpecSchema.parse({ work: { kind: 'command', command: ['true', what] } });

describe('hostile machines', function () {
  this.timeout(900_000);
  const random: Random = seededRandom(SEED);
  const routes = honestRoutes();
  const home = new DaemonHome({
    HITCH_PROVIDERS: 'sandbox',
    HITCH_SANDBOX_BOOT_MS: '100',
    HITCH_SANDBOX_VISIBILITY_MS: '500',
    HITCH_SANDBOX_STOCK: '50',
    // Liars that take their time would take the test's.
    HITCH_MACHINE_ANSWER_MS: '8000',
    HITCH_MACHINE_RECONNECT_MS: '500',
    // As whoever starts a daemon sets it.
    ...FRUGAL_ALLOCATOR,
  });
  let program: LiarProgram;
  let honest: Cluster;
  let asked: Cluster;
  let restless: Cluster;
  let waiting: Cluster;
  let liar: Liar;
  let askedJob: Job;
  let restlessJob: Job;
  let page: NotebookPage;
  let told = 0;
  /** What the daemon had taken at most before anybody lied, in MB. */
  let honestMb = 0;
  /** Ends the questions to the honest cluster; what went wrong with them. */
  let over = false;
  let honestRounds = 0;
  let rounds: Promise<void>;

  const rent = (name: string, more: object = {}): Promise<Cluster> =>
    home.rent({ filter: { providers: ['sandbox'] }, idleMs: 0, ...more }, name);

  before(async function () {
    needsRealNodes(this);
    console.log(`      seed ${SEED.toString()} (HITCH_TEST_SEED=${SEED.toString()} draws the same lies)`);
    program = new LiarProgram(routes);
    await home.start({}, program.daemon);
    honest = await rent('honest');
    asked = await rent('liar');
    restless = await rent('liar-restless', { save: { paths: [ASKED], toFolder: join(home.root, 'kept') } });
    waiting = await rent('liar-ray', { engine: 'ray' });
    for (const { id } of [asked, restless, waiting, honest]) {
      await home.untilKernel(id);
    }
    [asked, restless, waiting] = await Promise.all([
      home.cluster(asked.id),
      home.cluster(restless.id),
      home.cluster(waiting.id),
    ]);
    liar = new Liar(home, asked);
    askedJob = await home.api.jobs.start({ clusterId: asked.id, spec: jobOf('asked') });
    restlessJob = await home.api.jobs.start({ clusterId: restless.id, spec: jobOf('restless') });
    page = await NotebookPage.open(home, honest, await startKernel(home, honest));
    rounds = askTheHonest();
    await until('the honest cluster answers', () => honestRounds > 3);
    honestMb = peakOf(home.pid);
  });

  after(async () => {
    over = true;
    await rounds?.catch(() => undefined);
    page?.leave();
    await home.dispose();
    program?.remove();
  });

  /** What a person does with the other cluster meanwhile; each of it must go well. */
  async function askTheHonest(): Promise<void> {
    while (!over) {
      const names = (await home.api.clusters.list()).map(({ name }) => name);
      assert.equal(names.length, 4, 'every cluster is in the list');
      const { phase } = await home.cluster(honest.id);
      assert.equal(phase, 'ready');
      assert.equal((await home.api.kernels.list({ clusterId: honest.id }))[0]?.state !== 'unknown', true);
      const printed = await page.result(`print(${honestRounds.toString()} + 1)`);
      assert.equal(printed.trim(), (honestRounds + 1).toString());
      honestRounds += 1;
      await delay(400);
    }
  }

  const routeOf = (name: string): HonestRoute => {
    const route = routes.find(each => each.name === name);
    assert.ok(route !== undefined, `the contract has ${name}`);
    return route;
  };

  /** Something of every kind first, then as many more as there is room for. */
  function liesAbout(route: HonestRoute, most: number): Lie[] {
    const inside = liesInside(random, route, route.honest);
    const kinds = new Set<string>();
    const one = inside.filter(({ name }) => {
      const kind = name.replace(/ at .*$/, '');
      return !kinds.has(kind) && kinds.add(kind);
    });
    const more = inside.filter(lie => !one.includes(lie));
    return [...one, ...liesAround(route), ...more].slice(0, Math.max(most, one.length));
  }

  /** How each route is reached from outside. One that is added and missing here fails the test below. */
  const clusterId = () => asked.id;
  const files = () => home.api.files;
  const raw = async (path: string, init?: RequestInit): Promise<unknown> =>
    someOf(await home.client.raw(path, init));
  const asks: Readonly<Record<string, Ask>> = {
    status: () => home.api.kernels.list({ clusterId: clusterId() }),
    'kernels.executions': () => home.api.kernels.executions({ clusterId: clusterId(), kernelId: 'kernel-1' }),
    'kernels.cursor': () => home.api.kernels.cursor({ clusterId: clusterId(), kernelId: 'kernel-1' }),
    'terminals.list': () => home.api.terminals.list({ clusterId: clusterId() }),
    'terminals.create': () => home.api.terminals.create({ clusterId: clusterId(), name: 'main' }),
    'terminals.remove': () => home.api.terminals.remove({ clusterId: clusterId(), name: 'main' }),
    sshTicket: () => raw(`/ssh/${sshAlias('liar', 0)}`),
    ports: () => home.api.ports.link({ clusterId: clusterId(), port: 1 }),
    touch: () => raw(`/ssh/${sshAlias('liar', 0)}`, { method: 'POST' }),
    'files.list': () => files().list({ clusterId: clusterId(), path: '' }),
    'files.stat': () => files().stat({ clusterId: clusterId(), path: ASKED }),
    'files.checksum': () => files().checksum({ clusterId: clusterId(), path: ASKED }),
    'files.uploadState': () => files().uploadState({ clusterId: clusterId(), path: ASKED }),
    'files.makeFolder': () => files().makeFolder({ clusterId: clusterId(), path: ASKED }),
    'files.move': () => files().move({ clusterId: clusterId(), from: 'other.txt', to: ASKED }),
    use: () => home.api.nodes.use({ clusterId: clusterId(), nodeIndex: 0 }),
    'jobs.start': () => home.api.jobs.start({ clusterId: clusterId(), spec: jobOf('jobs.start') }),
    'jobs.stop': () => home.api.jobs.stop({ jobId: askedJob.id }),
    'jobs.ofRay': () => home.api.jobs.ofRay({ clusterId: clusterId() }),
    'jobs.log': () => home.api.jobs.log({ jobId: askedJob.id, run: 1 }),
    'jobs.search': () => home.api.jobs.search({ jobId: askedJob.id, run: 1, text: 'a' }),
    'files.remove': () => files().remove({ clusterId: clusterId(), path: ASKED, recursive: false }),
  };
  /** Asked by the daemon itself, of the two other liars. */
  const askedByItself = [
    'watch',
    'startEngine',
    'setWatchdog',
    'allowSsh',
    'kernels.interruptAll',
    'setEnvironment',
    'jobs.list',
    'jobs.metrics',
    'jobs.endAll',
  ];
  /** No daemon asks these. */
  const notAsked = ['shutDown', 'jobs.get'];

  /** Asks until the lies of one route are told. */
  async function askAll(
    route: Route,
    lies: readonly Lie[],
    ask: Ask,
    check: (lie: Lie, outcome: Outcome) => void = checkOutcome,
  ): Promise<void> {
    for (const lie of lies) {
      await liar.tell(route.name, [lie]);
      // A connection that an earlier lie broke may take the first question with it.
      for (let tries = 0; (await liar.left(route.name)) > 0; tries++) {
        assert.ok(tries < 5, `${lie.name} is not told`);
        check(lie, await outcomeOf(ask));
      }
      told += 1;
    }
  }

  it('are asked on every route of the contract', () => {
    const known = [...Object.keys(asks), ...askedByItself, ...notAsked].sort();
    assert.deepEqual(routes.map(({ name }) => name).sort(), known);
  });

  it('say nothing of any kind that reaches a client as it was not asked, or fails the daemon', async () => {
    const each = Math.ceil(LIES / Object.keys(asks).length);
    const queue = shuffled(random, Object.entries(asks));
    const next = async (): Promise<void> => {
      for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
        const [name, ask] = entry;
        const route = routeOf(name);
        await askAll(route, liesAbout(route, each), ask);
      }
    };
    await Promise.all([next(), next()]);
    await stillWell();
  });

  it('cannot hold anybody up by taking their time', async () => {
    for (const turn of [0, 1]) {
      await Promise.all(
        Object.entries(asks).map(([name, ask]) => {
          const route = routeOf(name);
          return askAll(route, slowLies(route).slice(turn, turn + 1), ask);
        }),
      );
    }
    await stillWell();
  });

  it('cannot fill anything by the routes that are passed on as they are', async () => {
    const kernels = `/clusters/${asked.id}/jupyter/api/kernels`;
    for (const [name, path] of [
      ['/raw-files', `/clusters/${asked.id}/raw-files?path=${ASKED}`],
      ['/jupyter/api/kernels', kernels],
      ['/log-bytes', `/api/jobs/${askedJob.id}/log-bytes?run=1`],
    ] as const) {
      const route = { name, method: 'GET', path: name, isStream: false };
      await askAll(route, liesAround(route), () => raw(path), isPassedOn);
    }
    for (const piece of UPGRADES) {
      const path = `/kernels/kernel-1/channels`;
      await liar.tell(`upgrade ${path}`, [{ name: 'upgrade', pieces: piece }]);
      await closedSocket(home, `/clusters/${asked.id}/jupyter/api${path}`);
      told += 1;
    }
    await stillWell();
  });

  it('change their own row alone when the daemon itself asks them', async () => {
    const [second, third] = [new Liar(home, restless), new Liar(home, waiting)];
    const some = (name: string, most: number): Lie[] => liesAbout(routeOf(name), 1_000).slice(0, most);
    const lies: (readonly [Liar, string, readonly Lie[]])[] = [
      [second, 'watch', some('watch', 30)],
      [second, 'status', some('status', 12)],
      // Each way in is told the key once, and the last one stays.
      [second, 'allowSsh', some('allowSsh', 1)],
      [second, 'setEnvironment', some('setEnvironment', 6)],
      [second, 'jobs.list', some('jobs.list', 16)],
      [third, 'startEngine', some('startEngine', 4)],
      [third, 'setWatchdog', some('setWatchdog', 3)],
      [third, 'watch', slowLies(routeOf('watch')).slice(1)],
    ];
    for (const [whom, route, all] of lies) {
      await whom.tell(route, all);
    }
    let saidSo = '';
    for (const [whom, route, all] of lies) {
      await until(
        `all lies about ${route} are told`,
        async () => {
          // New limits are what the agents are told of.
          await home.api.clusters.extend({ clusterId: waiting.id, stopAtMs: laterThanBefore() });
          const { nodes, environment } = await home.cluster(restless.id);
          // Agents that are behind are told of an environment.
          if (environment?.change === null && route === 'setEnvironment') {
            await home.api.clusters.changeEnvironment({ clusterId: restless.id, environment: null });
          }
          saidSo ||= nodes.find(({ message }) => /does not understand/.test(message))?.message ?? '';
          return (await whom.left(route)) === 0;
        },
        240_000,
      );
      told += all.length;
    }
    assert.match(saidSo, /^This machine’s agent answered something Hitch does not understand: /);
    await stillWell();
  });

  it('say of their jobs what is not believed, and fill nothing with it', async () => {
    const second = new Liar(home, restless);
    const stands = (): Promise<Job> => home.api.jobs.get({ jobId: restlessJob.id });
    const isTold = (route: string) => async () => (await second.left(route)) === 0;
    for (const [lie, said] of REFUSED_JOBS) {
      // Said for a while: the answers after it are honest.
      await second.tell(
        'jobs.list',
        Array.from({ length: 5 }, () => lie),
      );
      await until(`${lie.name} is refused`, async () => (await stands()).message.includes(said));
      await until(`${lie.name} is told`, isTold('jobs.list'));
      told += 5;
    }
    // Jobs of others, and of no Hitch at all, are nobody's.
    const before = (await home.api.jobs.list({})).length;
    await second.tell('jobs.list', [jobsOfOthers(askedJob.id)]);
    await until('it is told', isTold('jobs.list'));
    assert.equal((await home.api.jobs.list({})).length, before);
    await second.tell(
      'jobs.list',
      WRONG_PAGES.map(() => ENDLESS_LOG),
    );
    await second.tell('jobs.log', WRONG_PAGES);
    await until('they are told', isTold('jobs.log'));
    assert.ok(bytesBelow(join(home.root, 'jobs')) < 1024 * 1024);
    // What is over stays so, though there is more to fetch of its log.
    await second.tell('jobs.list', [ITS_END]);
    await until('it is over', async () => (await stands()).state === 'succeeded');
    await second.tell('jobs.list', [IT_RUNS_AGAIN]);
    await until('it is told', isTold('jobs.list'));
    assert.equal((await stands()).state, 'succeeded');
    told += 2 * WRONG_PAGES.length + 3;
    await stillWell();
  });

  it('can be stopped, and are gone', async () => {
    const second = new Liar(home, restless);
    await home.api.jobs.start({ clusterId: restless.id, spec: jobOf('last') });
    await second.tell('jobs.endAll', liesAbout(routeOf('jobs.endAll'), 1).slice(0, 1));
    await second.tell('kernels.interruptAll', liesAbout(routeOf('kernels.interruptAll'), 1).slice(0, 1));
    await home.api.clusters.stop({ clusterId: restless.id, skipSave: false });
    await until('the save has begun', async () => (await second.left('kernels.interruptAll')) === 0);
    await until('its jobs are asked to end', async () => (await second.left('jobs.endAll')) === 0);
    told += 2;
    // Its files never come. Whoever does not want to wait until the cap says so.
    await home.api.clusters.stop({ clusterId: restless.id, skipSave: true });
    await home.api.clusters.stop({ clusterId: asked.id, skipSave: true });
    await home.api.clusters.stop({ clusterId: waiting.id, skipSave: true });
    const gone = [];
    for (const { id } of [restless, asked, waiting]) {
      gone.push(await home.untilOver(id, 240_000));
    }
    assert.deepEqual(
      gone.map(({ phase, conditions }) => [phase, conditions.cleanup.status]),
      gone.map(() => ['stopped', 'yes']),
    );
    assert.deepEqual(home.leftovers(gone), []);
    await stillWell();
    over = true;
    await rounds;
    await home.stopCluster(honest.id);
    console.log(
      `      ${told.toString()} lies, ${honestRounds.toString()} rounds of the honest cluster, ${peakOf(home.pid).toString()} MB at most`,
    );
    assert.ok(told >= FEWEST, `${told.toString()} lies were told`);
  });

  let stopAt = Date.now() + 3_600_000;
  const laterThanBefore = (): number => (stopAt += 60_000);

  /** The daemon is small, and all that was asked of the honest cluster until now went well. */
  async function stillWell(): Promise<void> {
    const before = honestRounds;
    await Promise.race([rounds, until('the honest cluster answers', () => honestRounds > before + 1)]);
    const ran = await home.cli(['show', 'honest']);
    assert.equal(ran.code, 0, ran.stderr);
    const peakMb = peakOf(home.pid);
    assert.ok(
      peakMb <= honestMb * MOST_MEMORY_RATIO,
      `the daemon took ${peakMb.toString()} MB, and ${honestMb.toString()} MB before anybody lied`,
    );
  }
});
