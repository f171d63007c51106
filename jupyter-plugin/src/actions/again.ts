/** Renting once more for a cluster that is there: start again, the next offer, and other machines for lost nodes. */
import { type Cluster, HitchError, quoteRequestSchema, type Offer, type QuoteRequest } from '@hitch/contract';
import { firstLimits } from '../settings/preferences.ts';
import type { Deps } from './deps.ts';
import { COMMANDS } from './ids.ts';
import { failed, said, sentenceOf, showPanelStep } from './report.ts';

/** The machines like those the cluster had, as an offer filter. */
export function filterLike({ nodes, practice }: Pick<Cluster, 'nodes' | 'practice'>): QuoteRequest['filter'] {
  const provider = nodes.map(node => node.provider).find(id => id !== null);
  const gpu = nodes.map(({ title }) => /^(\d+)× (.+), (\d+) GB$/.exec(title)).find(match => match !== null);
  const count = gpu?.[1];
  const model = gpu?.[2];
  return {
    practice: practice ? 'only' : 'exclude',
    ...(provider === undefined ? {} : { providers: [provider] }),
    ...(model === undefined || count === undefined
      ? {}
      : { gpuModels: [model], minGpuCount: Number(count), maxGpuCount: Number(count) }),
  };
}

/** The places of a cluster that have a machine, or had one in its last life: one node for each index. */
const places = ({ nodes }: Pick<Cluster, 'nodes'>): number =>
  Math.max(1, new Set(nodes.map(({ index }) => index)).size);

/** Nodes to buy anew while the others stay. */
export const lostNodes = ({ nodes }: Pick<Cluster, 'nodes'>): number =>
  nodes.filter(({ phase }) => phase === 'gone' || phase === 'failed').length;

export function requestLike(
  cluster: Cluster,
  limits: { capMicroUsd: string; idleMs: number; stopAtMs: number | null },
  wanted: { nodes?: number; offerIds?: readonly string[] } = {},
): QuoteRequest {
  return quoteRequestSchema.parse({
    template: cluster.template,
    engine: cluster.engine,
    nodes: wanted.nodes ?? places(cluster),
    offerIds: [...(wanted.offerIds ?? [])],
    filter: filterLike(cluster),
    ...limits,
    save: cluster.save,
  });
}

/** Offers that were not tried for this cluster yet, in the order given. */
export function untried(cluster: Pick<Cluster, 'nodes'>, offers: readonly Pick<Offer, 'id'>[]): string[] {
  const tried = new Set(cluster.nodes.flatMap(({ attempts }) => attempts.map(({ offerId }) => offerId)));
  return offers.map(({ id }) => id).filter(id => !tried.has(id));
}

const LOOKED_AT = 100;
const MOST_CANDIDATES = 10;

async function nextOffers({ hitch }: Deps, cluster: Cluster): Promise<string[]> {
  const filter = filterLike(cluster);
  const page = await hitch.client.api.offers.query({ filter, limit: LOOKED_AT });
  const ids = untried(cluster, page.offers).slice(0, Math.max(MOST_CANDIDATES, places(cluster)));
  if (ids.length < places(cluster)) {
    throw new HitchError('NO_OFFERS', 'No other offer like the one that failed is there now.', {
      next: 'Choose another one in New cluster.',
    });
  }
  return ids;
}

export type Again = 'start-again' | 'next-offer' | 'replace';

async function quoteFor(deps: Deps, cluster: Cluster, again: Again) {
  const limits = firstLimits(deps.preferences.present, deps.now());
  const wanted =
    again === 'replace'
      ? { nodes: lostNodes(cluster) }
      : again === 'next-offer'
        ? { offerIds: await nextOffers(deps, cluster) }
        : {};
  return deps.hitch.client.api.quotes.create(requestLike(cluster, limits, wanted));
}

/** A fresh quote, a yes to it, and the cluster under its old name. */
export async function rentAgain(deps: Deps, cluster: Cluster, again: Again): Promise<void> {
  const { hitch, trans, commands } = deps;
  const { approve } = await import('../approval/approve.ts');
  const action = async () => ({
    kind: 'start-again' as const,
    clusterId: cluster.id,
    quoteId: (await quoteFor(deps, cluster, again)).id,
  });
  let started;
  try {
    started = await approve(deps, action);
  } catch (error) {
    failed(sentenceOf(error), {
      label: trans.__('New cluster…'),
      run: () => void commands.execute(COMMANDS.newCluster),
    });
    return;
  }
  if (started !== null) {
    await hitch.refresh();
    said(trans.__('%1 is being rented.', cluster.name), showPanelStep(deps));
    void commands.execute(COMMANDS.showTimeline, { clusterId: cluster.id });
  }
}
