/**
 * Machines that lie about everything they are asked, beside an honest one. What they say is theirs: the daemon stays
 * small, every other cluster answers, and the liars can be stopped like any machine.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, HitchError, sshAlias } from '@hitch/contract';
import WebSocket from 'ws';
import { FRUGAL_ALLOCATOR } from '@hitch/platform/src/memory.ts';
import { type Random, seededRandom } from '@hitch/platform/src/random.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { liesAround, liesInside, shuffled, slowLies } from '../support/liar/lies.ts';
import type { Lie, Route } from '../support/liar/lie.ts';
import { honestRoutes, type HonestRoute, Liar, LiarProgram } from '../support/liar/liars.ts';
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

const ASKED = 'asked.txt';
/** Bytes of an answer that a client of this test takes; a relayed one may be long. */
const TAKEN_BYTES = 1024 * 1024;

type Ask = () => Promise<unknown>;

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
    touch: () => raw(`/ssh/${sshAlias('liar', 0)}`, { method: 'POST' }),
    'files.list': () => files().list({ clusterId: clusterId(), path: '' }),
    'files.stat': () => files().stat({ clusterId: clusterId(), path: ASKED }),
    'files.checksum': () => files().checksum({ clusterId: clusterId(), path: ASKED }),
    'files.uploadState': () => files().uploadState({ clusterId: clusterId(), path: ASKED }),
    'files.makeFolder': () => files().makeFolder({ clusterId: clusterId(), path: ASKED }),
    'files.move': () => files().move({ clusterId: clusterId(), from: 'other.txt', to: ASKED }),
    'files.remove': () => files().remove({ clusterId: clusterId(), path: ASKED, recursive: false }),
  };
  /** Asked by the daemon itself, of the two other liars. */
  const askedByItself = ['watch', 'startEngine', 'setWatchdog', 'allowSsh', 'kernels.interruptAll'];
  /**
   * The first no daemon asks; the second only of a cluster whose environment is changed, the others of one with jobs, which
   * these have none of.
   */
  const notAsked = [
    'shutDown',
    'setEnvironment',
    ...['start', 'list', 'get', 'stop', 'endAll', 'log', 'search'].map(name => `jobs.${name}`),
  ];

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
      [second, 'allowSsh', some('allowSsh', 3)],
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
          const { nodes } = await home.cluster(restless.id);
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

  it('can be stopped, and are gone', async () => {
    const second = new Liar(home, restless);
    await second.tell('kernels.interruptAll', liesAbout(routeOf('kernels.interruptAll'), 1).slice(0, 1));
    await home.api.clusters.stop({ clusterId: restless.id, skipSave: false });
    await until('the save has begun', async () => (await second.left('kernels.interruptAll')) === 0);
    told += 1;
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

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n';
const UPGRADES: readonly Lie['pieces'][] = [
  ['GARBAGE\r\n\r\n'],
  ['HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<script>'],
  ['HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n'],
  [SWITCH, { text: 'a: b\r\n'.repeat(100), times: -1 }],
  [`${SWITCH}sec-websocket-accept: x\r\nset-cookie: a=b\r\n\r\n`],
  // A frame of four exabytes.
  [
    `${SWITCH}sec-websocket-accept: x\r\n\r\n`,
    { base64: 'gn9AAAAAAAAAAA==' },
    { text: 'A'.repeat(65_536), times: -1 },
  ],
];

async function closedSocket(home: DaemonHome, path: string): Promise<void> {
  const { baseUrl, token } = home.place();
  const socket = new WebSocket(`${baseUrl.replace('http', 'ws')}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  socket.on('error', () => undefined);
  await new Promise(resolve => socket.once('close', resolve));
}

/** The beginning of an answer; the rest is not waited for. */
async function someOf(answer: Response): Promise<unknown> {
  let bytes = 0;
  const reader = answer.body?.getReader();
  for (;;) {
    const next = await reader?.read();
    bytes += next?.value?.length ?? 0;
    if (next === undefined || next.done || bytes > TAKEN_BYTES) {
      await reader?.cancel();
      return { bytes };
    }
  }
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

async function outcomeOf(ask: Ask): Promise<Outcome> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { error };
  }
}

/** The field by which an answer says what it is about. */
function pathsIn(value: unknown): readonly unknown[] {
  return (Array.isArray(value) ? value : [value]).flatMap((each: unknown) =>
    typeof each === 'object' && each !== null && 'path' in each && 'sizeBytes' in each ? [each.path] : [],
  );
}

/** The connection of a passed-on answer breaks with it: what fetch says of that. Every other TypeError is a defect. */
const isBroken = (error: unknown): boolean =>
  error instanceof TypeError && (error.message === 'terminated' || error.message === 'fetch failed');

function checkOutcome({ name }: Lie, outcome: Outcome): void {
  if ('value' in outcome) {
    assert.deepEqual(
      pathsIn(outcome.value).filter(path => path !== ASKED),
      [],
      `${name} is believed`,
    );
    assert.ok(JSON.stringify(outcome.value).length < 2 * TAKEN_BYTES, `${name} is passed on at its length`);
    return;
  }
  const { error } = outcome;
  if (isBroken(error)) {
    return;
  }
  assert.ok(error instanceof HitchError, `${name} is a defect: ${String(error)}`);
  assert.ok(error.code !== 'INTERNAL', `${name} is a defect: ${error.message}`);
  assert.ok(error.message.length < 2_000, `${name} is said at its length`);
}

/** What is the client's to read: whatever JSON a machine sent, or its failure, in either case not ours. */
function isPassedOn({ name }: Lie, outcome: Outcome): void {
  const error = 'error' in outcome ? outcome.error : null;
  assert.ok(
    error === null || isBroken(error) || error instanceof HitchError,
    `${name} is a defect: ${String(error)}`,
  );
}

/** The most memory that the process ever took, in MB. */
function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid.toString()}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
}
