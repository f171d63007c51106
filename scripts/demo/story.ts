// The main job from a quote to confirmed gone, told as it happens.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  accountLines,
  format,
  isGone,
  isOver,
  missingWords,
  type OfferFilter,
  parseMicroUsd,
  runCopy,
  showDollars,
  type Cluster,
} from '@hitch/contract';
import * as z from 'zod';
import { followCluster } from '../../backend-proxy/src/cli/clusters.ts';
import { lineWriter } from '../../backend-proxy/src/cli/line-writer.ts';
import { offerColumns, PRACTICE_BANNER } from '../../backend-proxy/src/cli/screen/offer-table.ts';
import { tableLines } from '../../backend-proxy/src/cli/screen/table.ts';
import type { Session } from '@hitch/client-node/src/session.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { attachKernel, readDemoNotebook, runCells } from './notebook.ts';
import type { Narrator } from './narrator.ts';

export interface Story {
  readonly session: Session;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
  readonly root: string;
  /** Kills the daemon in the middle of the notebook; null: leaves it alone. */
  readonly killDaemon: (() => void) | null;
  /** Which machines: never such as cost anybody anything. */
  readonly filter: OfferFilter;
  /** Called while everything runs. */
  readonly lookAround: () => Promise<void>;
  /** Told as soon as something may have to be cleaned up. */
  readonly rented: (cluster: Cluster) => void;
}

export interface Figures {
  readonly offers: number;
  readonly nodes: number;
  readonly rayNodesAlive: number;
  readonly secondsToKernel: number;
  readonly secondsToRay: number;
  readonly cellsRun: number;
  readonly saved: readonly string[];
  readonly costMicroUsd: string;
}

/** The placement of Ray's actors is what takes seconds: a daemon that dies here dies in the middle of a cell. */
const CELL_TO_DIE_IN = 4;
/** Two actors, each a process of its own, take longer to begin than this on any machine. */
const DIES_AFTER_MS = 100;

const tenths = (seconds: number): number => Math.round(seconds * 10) / 10;

async function showOffers({ session: { api }, narrator, filter }: Story): Promise<number> {
  const providers = await api.providers.list();
  const page = await api.offers.query({ filter, limit: 5 });
  const networks = providers.map(({ title, offers }) => `${title} (${offers})`).join(', ');
  narrator.step(`${page.total} offers seen on ${networks}`);
  if (filter.practice === 'only') narrator.detail(PRACTICE_BANNER);
  tableLines(page.offers, offerColumns(providers), 110).forEach(line => narrator.detail(line));
  return page.total;
}

async function rent({ session: { api }, narrator, rented, filter }: Story, name: string): Promise<Cluster> {
  const quote = await api.quotes.create({
    nodes: 2,
    engine: 'ray',
    filter,
    save: { paths: ['results'], toFolder: null },
  });
  narrator.step('A quote for two nodes with Ray');
  narrator.detail(quote.lines.join('\n'));
  if (!quote.practice && filter.providers?.join() !== 'ssh') {
    throw new Error(
      'The quote is neither for practice machines nor for one’s own; the demo never spends money.',
    );
  }
  const cluster = await api.clusters.create({ quoteId: quote.id, name });
  rented(cluster);
  narrator.step(`“${quote.yes}”: yes, nobody is charged. Renting ${cluster.name}`);
  return cluster;
}

/** Follows the cluster and tells each change of its line, without the clock in it. */
async function follow(story: Story, cluster: Cluster, done: (cluster: Cluster) => boolean): Promise<Cluster> {
  const { session, narrator, signal } = story;
  let told = '';
  const lineOf = await lineWriter(session.api);
  const context = { clock: systemClock, session: () => Promise.resolve(session) };
  const latest = await followCluster(context, cluster.id, state => done(state) || isOver(state), {
    signal,
    seen: state => {
      const line = lineOf(state, systemClock.now()).replace(/, \d+:\d\d(?=,|$)/, '');
      if (line !== told) narrator.step(line);
      told = line;
    },
  });
  if (!done(latest)) {
    throw new Error(`The cluster ended: ${latest.message || latest.phase}`);
  }
  return latest;
}

async function sendInput({ session, narrator, signal, root }: Story, cluster: Cluster): Promise<void> {
  const { api } = session;
  const copy = await runCopy({
    api,
    signal,
    sleep: (ms, until) => systemClock.sleep(ms, until),
    start: () =>
      api.copies.start({
        clusterId: cluster.id,
        direction: 'send',
        sources: [join(root, 'samples', 'data', 'points.csv')],
        target: 'data',
        intoFolder: true,
      }),
    ask: () => Promise.resolve(null),
  });
  const missing = missingWords(copy.account, copy.problem);
  if (missing !== null) {
    throw new Error(missing);
  }
  narrator.step(`Sent samples/data/points.csv: ${accountLines(copy.account).join('; ')}`);
}

/** Below a cent too: these are sums to add up. */
const exact = (amount: string): string => showDollars(parseMicroUsd(amount));

async function showCost({ session: { api }, narrator, filter }: Story, cluster: Cluster): Promise<void> {
  const usage = await api.usage.get({ clusterId: cluster.id });
  narrator.step(
    `Cost so far: ${exact(usage.accruedMicroUsd)}${filter.practice === 'only' ? ' of practice money' : ''}, ${format.dollars(usage.ratePerHourMicroUsd)}/h`,
  );
  for (const part of usage.parts) {
    narrator.detail(`${part.label}: ${exact(part.costMicroUsd)}`);
  }
}

/** Saves, destroys, and waits until it is confirmed gone. */
async function stop(story: Story, cluster: Cluster): Promise<Cluster> {
  const { session, narrator } = story;
  narrator.step('Stopping: results/ is saved first, then the machines are deleted');
  await session.api.clusters.stop({ clusterId: cluster.id, skipSave: false });
  const gone = await follow(story, cluster, isGone);
  savedFiles(gone).forEach(path => narrator.detail(`saved ${relative(story.root, path)}`));
  return gone;
}

/** Every file below the places that were saved. */
const savedFiles = ({ saved }: Cluster): readonly string[] =>
  saved.flatMap(place =>
    statSync(place).isFile()
      ? [place]
      : readdirSync(place, { recursive: true, withFileTypes: true })
          .filter(entry => entry.isFile())
          .map(entry => join(entry.parentPath, entry.name)),
  );

const metricsSchema = z.object({
  rayNodesAlive: z.number().int(),
  nodesThatWorked: z.array(z.string()),
  accuracy: z.number(),
});

/** What the notebook found out, from the file that came back. */
function readMetrics(gone: Cluster): z.infer<typeof metricsSchema> {
  const path = savedFiles(gone).find(saved => saved.replaceAll('\\', '/').endsWith('results/metrics.json'));
  if (path === undefined) {
    throw new Error('results/metrics.json was not saved.');
  }
  const metrics = metricsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  if (new Set(metrics.nodesThatWorked).size !== 2) {
    throw new Error(`Two nodes should have worked, not ${metrics.nodesThatWorked.length}.`);
  }
  return metrics;
}

/** The same machine once more, as far as its first cell: what is there already is not installed again. */
export async function tellAgain(story: Story): Promise<void> {
  const { session, narrator, signal, root } = story;
  narrator.step('Once more on the same machine');
  const cluster = await rent(story, 'demo-again');
  const rentedAt = narrator.seconds;
  await follow(story, cluster, ({ conditions }) => conditions.kernel.status === 'yes');
  const kernel = await attachKernel(session, cluster, narrator);
  try {
    narrator.step(`Kernel attached after ${tenths(narrator.seconds - rentedAt)} s`);
    await runCells(kernel, readDemoNotebook(join(root, 'samples')).first, { narrator, signal });
  } finally {
    kernel.close();
  }
  await session.api.clusters.stop({ clusterId: cluster.id, skipSave: true });
  await follow(story, cluster, isGone);
}

export async function tell(story: Story): Promise<Figures> {
  const { session, narrator, signal, root } = story;
  const notebook = readDemoNotebook(join(root, 'samples'));
  const offers = await showOffers(story);
  const cluster = await rent(story, 'demo');
  const rentedAt = narrator.seconds;

  await follow(story, cluster, ({ conditions }) => conditions.kernel.status === 'yes');
  const kernel = await attachKernel(session, cluster, narrator);
  const secondsToKernel = tenths(narrator.seconds - rentedAt);
  try {
    narrator.step(
      `Kernel attached after ${secondsToKernel} s; the first cell runs while Ray’s nodes still join`,
    );
    const firstCells = await runCells(kernel, notebook.first, { narrator, signal });

    await follow(story, cluster, ({ conditions }) => conditions.engine.status === 'yes');
    const secondsToRay = tenths(narrator.seconds - rentedAt);
    narrator.step(`Ray 2/2 after ${secondsToRay} s`);
    await sendInput(story, cluster);

    narrator.step('Running samples/ray-two-nodes.ipynb');
    const restCells = await runCells(kernel, notebook.rest, {
      narrator,
      signal,
      started: number => {
        if (number === CELL_TO_DIE_IN && story.killDaemon !== null) {
          systemClock.setTimer(story.killDaemon, DIES_AFTER_MS);
        }
      },
    });
    narrator.step(`All ${firstCells + restCells} cells ran`);
    await showCost(story, cluster);
    await story.lookAround();
    kernel.close();
    const gone = await stop(story, cluster);
    const { rayNodesAlive } = readMetrics(gone);
    return {
      offers,
      nodes: gone.nodes.length,
      rayNodesAlive,
      secondsToKernel,
      secondsToRay,
      cellsRun: firstCells + restCells,
      saved: savedFiles(gone).map(path => relative(root, path).replaceAll('\\', '/')),
      costMicroUsd: gone.usage.accruedMicroUsd,
    };
  } finally {
    kernel.close();
  }
}
