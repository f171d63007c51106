/** A Hitch of its own beside a network's own client: a daemon with one network, led to the same simulator. */
import assert from 'node:assert/strict';
import type { Cluster, ClusterId, NetworkInfo } from '@hitch/contract';
import { DaemonHome } from '../../support/daemon-home.ts';
import { delay, until } from '../../support/waiting.ts';
import { urlVariable } from '../all.ts';
import type { JudgedSimulator } from './bench.ts';
import type { JudgedNetwork } from './beside-hitch.ts';

/** Longer than a network's delay before it is believed that a machine is gone; a busy computer takes longer. */
const SEEN_WITHIN_MS = 240_000;
const LOOK_EVERY_MS = 1_000;

export const attemptOf = ({ nodes }: Cluster) => nodes[0]?.attempts[0] ?? assert.fail('nothing was bought');

/** Hitch with one network. */
export class HitchBeside {
  readonly home: DaemonHome;
  readonly #id: string;
  readonly #key: string;

  constructor({ id, login }: Pick<JudgedNetwork<JudgedSimulator>, 'id' | 'login'>, url: string) {
    this.#id = id;
    this.#key = Object.values(login)[0] ?? assert.fail('there is no login');
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

  /** Until Hitch knows that the cluster's machine is gone. */
  seesGone(id: ClusterId): Promise<Cluster> {
    return this.#looking('Hitch knows that its machine is gone', async () => {
      const cluster = await this.home.cluster(id);
      return attemptOf(cluster).state === 'gone' ? cluster : null;
    });
  }

  notOurs(count: number): Promise<NetworkInfo['notOurs']> {
    return this.#looking(`Hitch shows ${count.toString()} that are not ours`, async () => {
      const network = (await this.home.api.networks.list()).find(({ id }) => id === this.#id);
      return network?.notOurs.length === count ? network.notOurs : null;
    });
  }

  /**
   * Hitch looks at an account every half minute, and at once when somebody logs in there: so somebody does, and says that the
   * account is meant, though its list shows nothing of Hitch's where the client has deleted that.
   */
  #looking<T>(what: string, found: () => Promise<T | null>): Promise<T> {
    return until(
      what,
      async () => {
        const values = { apiKey: this.#key };
        await this.home.api.networks.login({ provider: this.#id, values, otherAccount: true });
        await delay(LOOK_EVERY_MS);
        return found();
      },
      SEEN_WITHIN_MS,
    );
  }
}
