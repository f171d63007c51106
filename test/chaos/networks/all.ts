/** The networks of chaos runs; one that is added stands here too. */
import { pick, seededRandom } from '@hitch/platform/src/random.ts';
import { akash } from './akash.ts';
import { ionet } from './ionet.ts';
import type { ChaosNetwork, NetworkTools } from './network.ts';
import { nosana } from './nosana.ts';
import { PracticeNetwork } from './practice.ts';
import { prime } from './prime.ts';
import { runpod } from './runpod.ts';
import { vast } from './vast.ts';

export const PRACTICE = 'sandbox';

const NETWORKS: Readonly<Record<string, (tools: NetworkTools) => ChaosNetwork>> = {
  [PRACTICE]: tools => new PracticeNetwork(tools),
  vast,
  ionet,
  runpod,
  akash,
  prime,
  nosana,
};

export const NETWORK_IDS: readonly string[] = Object.keys(NETWORKS);

export function openNetwork(id: string, tools: NetworkTools): ChaosNetwork {
  const open = NETWORKS[id];
  if (open === undefined) {
    throw new RangeError(`There is no network ${id} here: ${NETWORK_IDS.join(', ')}.`);
  }
  return open(tools);
}

/**
 * Those of one run, of these. The practice market stands in most, since it alone can do all that any network does; in half
 * of all runs there is another beside, each by itself or two of them.
 */
export function drawNetworks(seed: number, from: readonly string[]): readonly string[] {
  const random = seededRandom(seed + 0x2e75);
  const others = from.filter(id => id !== PRACTICE);
  const hasPractice = from.includes(PRACTICE) && (others.length === 0 || random.next() < 0.6);
  const isSeveral = random.next() < 0.5;
  const count = Math.min(others.length, (hasPractice ? 0 : 1) + (isSeveral ? 1 : 0));
  const drawn = new Set(hasPractice ? [PRACTICE] : []);
  while (drawn.size < count + (hasPractice ? 1 : 0)) {
    drawn.add(pick(random, others));
  }
  return from.filter(id => drawn.has(id));
}
