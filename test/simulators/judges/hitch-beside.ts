/** A Hitch of its own beside a network's own client: a daemon with one network, led to the same simulator. */
import assert from 'node:assert/strict';
import type { Cluster, NetworkInfo } from '@hitch/contract';
import { DaemonHome } from '../../support/daemon-home.ts';
import { until } from '../../support/waiting.ts';
import { urlVariable } from '../all.ts';
import type { JudgedSimulator } from './bench.ts';
import type { JudgedNetwork } from './beside-hitch.ts';

/** Hitch looks at a list every half minute; a busy machine takes longer. */
export const SEEN_WITHIN_MS = 240_000;

export const attemptOf = ({ nodes }: Cluster) => nodes[0]?.attempts[0] ?? assert.fail('nothing was bought');

/** Hitch with one network. */
export class HitchBeside {
  readonly home: DaemonHome;
  readonly #id: string;

  constructor({ id, login }: Pick<JudgedNetwork<JudgedSimulator>, 'id' | 'login'>, url: string) {
    this.#id = id;
    this.home = new DaemonHome({ HITCH_PROVIDERS: id, [urlVariable(id)]: url, ...login });
  }

  async start(): Promise<void> {
    await this.startDaemon();
    await this.login();
  }

  async startDaemon(): Promise<void> {
    await this.home.start();
  }

  async login(): Promise<void> {
    const { code, stderr } = await this.home.cli(['networks', 'login', this.#id, '--from-env']);
    assert.equal(code, 0, stderr);
  }

  async rent() {
    const quote = await this.home.quote({ engine: 'single', filter: { providers: [this.#id] } });
    const { id } = await this.home.api.clusters.create({ quoteId: quote.id, name: 'judged' });
    const cluster = await this.home.untilCluster(id, 'it is bought', ({ nodes }) =>
      Boolean(nodes[0]?.attempts[0]?.instanceId),
    );
    const { offerId } = attemptOf(cluster);
    const offer = quote.candidates.find(candidate => candidate.offerId === offerId);
    return { cluster, offer: offer ?? assert.fail('what was bought was not in the quote') };
  }

  /** All that is shown of the network, once it was read. */
  offers() {
    return until('its offers are there', async () => {
      const { offers } = await this.home.api.offers.query({ filter: { providers: [this.#id] } });
      return offers.length === 0 ? null : offers;
    });
  }

  notOurs(count: number): Promise<NetworkInfo['notOurs']> {
    return until(
      `Hitch shows ${count.toString()} that are not ours`,
      async () => {
        const network = (await this.home.api.networks.list()).find(({ id }) => id === this.#id);
        return network?.notOurs.length === count ? network.notOurs : null;
      },
      SEEN_WITHIN_MS,
    );
  }
}
