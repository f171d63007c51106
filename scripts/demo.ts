// npm run demo: the main job for real, on practice machines, narrated; its last line is one JSON line.
// With `-- --network ssh` on a machine of one's own: a real sshd that the demo starts, with a home of its own.
// With `-- --kill-daemon` the daemon is killed with -9 in the middle of the notebook, and the story goes on.
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { Cluster } from '@hitch/contract';
import { homeDaemons } from '@hitch/client-node/src/daemon-session.ts';
import type { Daemons, Session } from '@hitch/client-node/src/session.ts';
import { readDiscovery } from '@hitch/client-node/src/discovery.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { cleanEarlier, countLeftOvers, stopAndWait, type LeftOvers } from './demo/left-overs.ts';
import { privateKeysOf } from '../test/support/secrets-on.ts';
import { Narrator } from './demo/narrator.ts';
import { OwnMachine } from './demo/own-machine.ts';
import { tell, tellAgain, type Figures, type Story } from './demo/story.ts';

const CLEAN_UP_WITHIN_MS = 90_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const hitch = join(root, 'backend-proxy', 'dist', 'hitch.mjs');
const NETWORKS = ['practice', 'ssh'];
const { values } = parseArgs({
  options: {
    'kill-daemon': { type: 'boolean', default: false },
    network: { type: 'string', default: 'practice' },
  },
});
const isSsh = values.network === 'ssh';
const home = homeAt(join(root, '.cache', isSsh ? 'demo-ssh' : 'demo'));

const daemons: Daemons = homeDaemons({
  home,
  clock: systemClock,
  program: { command: process.execPath, args: [hitch, 'daemon', '--foreground'] },
  runForeground: () => Promise.reject(new Error('The demo runs its daemon in the background.')),
});

/** Whatever happened: the cluster is gone afterwards, or a sentence says that it is not. */
async function cleanUp(session: Session, narrator: Narrator, cluster: Cluster): Promise<LeftOvers> {
  const signal = AbortSignal.timeout(CLEAN_UP_WITHIN_MS);
  const gone = await stopAndWait(session, cluster, signal);
  const left = await countLeftOvers([gone]);
  narrator.step(
    `Left over: ${left.nodesLeft} nodes in the records, ${left.processesLeft} processes with the cluster’s tag in the operating system`,
  );
  return left;
}

/** `kill -9`, as an operating system out of memory would. */
async function killDaemon(narrator: Narrator): Promise<void> {
  const { pid } = await daemons.status();
  if (pid === null) return;
  narrator.step(`kill -9 ${pid}: the daemon is dead in the middle of a cell`);
  process.kill(pid, 'SIGKILL');
}

interface Outcome {
  readonly figures: Figures | null;
  readonly left: LeftOvers;
  readonly problem: string | null;
}

/** What opens this computer's daemon, as its own file says, and the keys that open its clusters. */
function secretsHere(): readonly string[] {
  const found = readDiscovery(home);
  const daemon = found === null ? [] : [found.token, found.pageToken ?? found.token, found.challengeKey];
  return [...daemon, ...privateKeysOf(home)];
}

/** Puts it on the list of the person's machines, as a person does. */
async function addMachine(narrator: Narrator, own: OwnMachine): Promise<void> {
  process.env['HITCH_HOME'] = home.root;
  process.env['HITCH_SSH_CONFIG'] = own.machine.config;
  process.env['HITCH_PROVIDERS'] = 'ssh';
  const command = ['networks', 'add', 'ssh', 'gpu-box', '--price', '0.50'];
  if (own.shares !== null) {
    narrator.step(`Nobody outside tries the machine’s ports: ${own.shares}`);
  }
  narrator.step(`hitch ${command.join(' ')}`);
  const { stdout } = await promisify(execFile)(process.execPath, [hitch, ...command]);
  narrator.detail(stdout.trim());
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function perform(narrator: Narrator, signal: AbortSignal, own: OwnMachine | null): Promise<Outcome> {
  if (own !== null) {
    await addMachine(narrator, own);
  }
  const session = await daemons.connect();
  const info = await session.api.daemon.info();
  narrator.step(`The daemon is up: Hitch ${info.version}, process ${info.pid}, home ${info.home}`);
  await cleanEarlier(session, narrator);
  const rented: Cluster[] = [];
  let figures: Figures | null = null;
  let problem: string | null = null;
  const story: Story = {
    session,
    narrator,
    signal,
    root,
    killDaemon: values['kill-daemon'] ? () => void killDaemon(narrator) : null,
    filter: own === null ? { practice: 'only', multiNode: true } : { providers: ['ssh'] },
    lookAround: async () => own?.look(secretsHere()),
    rented: cluster => rented.push(cluster),
  };
  try {
    figures = await tell(story);
    if (own !== null) {
      await tellAgain(story);
    }
  } catch (error) {
    problem = signal.aborted ? 'The demo was interrupted.' : sentenceOf(error);
    narrator.step(`${problem} Cleaning up`);
  }
  let left: LeftOvers = { nodesLeft: 0, processesLeft: 0 };
  for (const cluster of rented) {
    const { nodesLeft, processesLeft } = await cleanUp(session, narrator, cluster);
    left = { nodesLeft: left.nodesLeft + nodesLeft, processesLeft: left.processesLeft + processesLeft };
  }
  return { figures, left, problem };
}

/** The machine of an earlier demo that was interrupted is gone with that demo, and its clusters with it. */
async function aFreshMachine(): Promise<OwnMachine> {
  await daemons.stop().catch(() => false);
  rmSync(home.root, { recursive: true, force: true });
  return OwnMachine.start();
}

async function main(): Promise<number> {
  if (!NETWORKS.includes(values.network)) {
    console.error(`There is no demo on "${values.network}": choose from ${NETWORKS.join(', ')}.`);
    return 2;
  }
  const own = isSsh ? await aFreshMachine() : null;
  const narrator = new Narrator();
  const interrupted = new AbortController();
  process.on('SIGINT', () => interrupted.abort());
  process.on('SIGTERM', () => interrupted.abort());
  let outcome: Outcome;
  try {
    outcome = await perform(narrator, interrupted.signal, own);
  } catch (error) {
    outcome = {
      figures: null,
      left: { nodesLeft: -1, processesLeft: -1 },
      problem: sentenceOf(error),
    };
    narrator.step(`${sentenceOf(error)} What may be left is ended at the next start of the demo.`);
  }
  const stopped = await daemons.stop().catch(() => false);
  if (stopped) narrator.step('The demo’s daemon has ended');
  const onHost = own?.measured() ?? null;
  await own?.dispose();
  const { figures, left, problem } = outcome;
  const isWell = problem === null && figures !== null && left.nodesLeft === 0 && left.processesLeft === 0;
  const ok = isWell && (own === null || own.isClean(onHost));
  console.log(
    JSON.stringify({ ok, ...figures, ...left, ...onHost, ...(problem === null ? {} : { problem }) }),
  );
  return ok ? 0 : 1;
}

// A wait for a way back to the kernel does not keep a process alive by itself.
const running = new AbortController();
systemClock.sleep(Number.MAX_SAFE_INTEGER, running.signal).catch(() => undefined);
process.exitCode = await main().finally(() => running.abort());
