/** The extension's half of the talk with one page: what it asks, what it is told. Knows no editor. */
import type { Cluster, ClusterEvent, HitchClient, Offer, OfferFilter } from '@hitch/contract';
import type { Stop } from '../emitter.ts';
import type { State } from '../daemon/state.ts';
import { isAbort, sentence } from '../sentence.ts';
import { type FromPage, fromPageSchema, type PageAction, type Place, type ToPage } from './messages.ts';

export interface TalkDeps {
  readonly state: () => State;
  readonly client: () => HitchClient;
  readonly onChange: (listener: () => void) => Stop;
  readonly onEvent: (listener: (event: ClusterEvent) => void) => Stop;
  readonly post: (message: ToPage) => void;
  /** The steps that end in the price and the yes. */
  readonly rent: (offers: readonly Offer[], nodes: number, filter: OfferFilter) => void;
  /** Asks which network to log in to, or for a machine of one's own. */
  readonly connect: () => void;
  readonly act: (action: PageAction, clusterId: string) => void;
  readonly report: (problem: string, error: unknown) => void;
}

const KEPT_EVENTS = 200;
const KEPT_OFFERS = 5_000;

/** Both lists by their sequence number, each event once, the newest that are kept. */
export function joined(known: readonly ClusterEvent[], more: readonly ClusterEvent[]): ClusterEvent[] {
  const bySeq = new Map([...known, ...more].map(event => [event.seq, event]));
  return [...bySeq.values()].sort((one, other) => one.seq - other.seq).slice(-KEPT_EVENTS);
}

export class Talk {
  readonly #deps: TalkDeps;
  readonly #asking = new Map<number, AbortController>();
  /** What the page has seen: it names offers, and what they are is known here. */
  readonly #offers = new Map<string, Offer>();
  readonly #stops: readonly Stop[];
  #place: Place;
  #ready = false;
  #events: readonly ClusterEvent[] = [];
  #told = '';
  /** For its events: they were asked for since the page is there. */
  #asked = false;

  constructor(deps: TalkDeps, place: Place) {
    this.#deps = deps;
    this.#place = place;
    this.#stops = [
      deps.onChange(() => this.#changed()),
      deps.onEvent(event => {
        if (event.clusterId === this.#clusterId) {
          this.#events = joined(this.#events, [event]);
          this.#changed();
        }
      }),
    ];
  }

  get #clusterId(): string | null {
    return this.#place.view === 'cluster' ? this.#place.clusterId : null;
  }

  get #cluster(): Cluster | undefined {
    return this.#deps.state().clusters?.find(({ id }) => id === this.#clusterId);
  }

  dispose(): void {
    this.#stops.forEach(stop => stop());
    this.#abortAll();
  }

  /** Offers may be other ones by now. */
  refresh(): void {
    if (this.#ready && this.#place.view === 'offers') {
      this.#deps.post({ kind: 'refresh' });
    }
  }

  /** Whatever a page says is a stranger's until it is read. */
  take(said: unknown): void {
    const parsed = fromPageSchema.safeParse(said);
    if (!parsed.success) {
      this.#deps.report('A page sent a message that is not supported', parsed.error);
      return;
    }
    this.#answer(parsed.data);
  }

  #answer(message: FromPage): void {
    switch (message.kind) {
      case 'ready':
        this.#begin(message.kept);
        break;
      case 'keep':
        this.#keep(message.place);
        break;
      case 'query':
        void this.#query(message);
        break;
      case 'abort':
        this.#asking.get(message.question)?.abort();
        break;
      case 'rent': {
        const offers = message.offerIds.flatMap(id => this.#offers.get(id) ?? []);
        if (offers.length > 0) {
          this.#deps.rent(offers, message.nodes, message.filter);
        }
        break;
      }
      case 'ask-networks':
        void this.#askNetworks();
        break;
      case 'connect':
        this.#deps.connect();
        break;
      case 'action':
        if (this.#clusterId !== null) {
          this.#deps.act(message.action, this.#clusterId);
        }
        break;
      case 'use':
        void this.#use(message);
        break;
      case 'job-log':
      case 'job-metrics':
      case 'job-search':
      case 'job-action':
      case 'template-show':
      case 'template-rent':
      case 'template-run':
      case 'template-folder':
        // Of a page that shows a job (job-talk.ts) or templates (template-talk.ts).
        break;
    }
  }

  /** A page that was hidden is made anew when it is seen again, and begins again with what it kept. */
  #begin(kept: Place | null): void {
    this.#abortAll();
    this.#ready = true;
    this.#told = '';
    this.#asked = false;
    if (kept !== null) {
      this.#keep(kept);
    }
    this.#changed();
  }

  #keep(place: Place): void {
    if (place.view === 'offers' && this.#place.view === 'offers') {
      this.#place = place;
    }
  }

  #changed(): void {
    if (!this.#ready) {
      return;
    }
    const { connection, problem, providers, clusters } = this.#deps.state();
    const known = providers.length > 0;
    const down = connection === 'lost' || connection === 'failed' || connection === 'absent';
    const offline = down ? (problem ?? 'Hitch’s daemon does not answer.') : null;
    const messages: ToPage[] = [
      { kind: 'show', place: this.#place, providers: known ? [...providers] : null, offline },
    ];
    const cluster = this.#cluster;
    if (cluster !== undefined && !this.#asked) {
      this.#asked = true;
      void this.#askEvents(cluster);
    }
    if (this.#place.view === 'cluster' && clusters !== null) {
      messages.push({ kind: 'cluster', cluster: cluster ?? null, events: [...this.#events] });
    }
    const text = JSON.stringify(messages);
    if (text !== this.#told) {
      this.#told = text;
      messages.forEach(message => this.#deps.post(message));
    }
  }

  #query({ question, query }: Extract<FromPage, { kind: 'query' }>): Promise<void> {
    return this.#answered(question, async signal => {
      const page = await this.#deps.client().api.offers.query(query, { signal });
      this.#remember(page.offers);
      this.#deps.post({ kind: 'page', question, page });
    });
  }

  async #use({ question, nodeIndex, query }: Extract<FromPage, { kind: 'use' }>): Promise<void> {
    const cluster = this.#cluster;
    if (cluster === undefined) {
      this.#deps.post({ kind: 'problem', question, sentence: 'This cluster is no longer in the list.' });
      return;
    }
    await this.#answered(question, async signal => {
      const { nodes } = this.#deps.client().api;
      const page = await nodes.use({ clusterId: cluster.id, nodeIndex, ...query }, { signal });
      this.#deps.post({ kind: 'use', question, page });
    });
  }

  async #answered(question: number, ask: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const asking = new AbortController();
    this.#asking.set(question, asking);
    try {
      await ask(asking.signal);
    } catch (error) {
      if (!isAbort(error)) {
        this.#deps.post({ kind: 'problem', question, sentence: sentence(error) });
      }
    } finally {
      this.#asking.delete(question);
    }
  }

  #remember(offers: readonly Offer[]): void {
    for (const offer of offers) {
      this.#offers.delete(offer.id);
      this.#offers.set(offer.id, offer);
    }
    for (const id of this.#offers.keys()) {
      if (this.#offers.size <= KEPT_OFFERS) {
        break;
      }
      this.#offers.delete(id);
    }
  }

  async #askNetworks(): Promise<void> {
    try {
      await this.#deps.client().api.offers.refresh({});
    } catch (error) {
      this.#deps.report('The networks could not be asked', error);
    }
    this.refresh();
  }

  async #askEvents(cluster: Cluster): Promise<void> {
    try {
      const afterSeq = Math.max(0, cluster.lastEventSeq - KEPT_EVENTS);
      const events = await this.#deps
        .client()
        .api.clusters.events({ clusterId: cluster.id, afterSeq, limit: KEPT_EVENTS });
      this.#events = joined(this.#events, events);
      this.#changed();
    } catch (error) {
      // Asked again with the next change.
      this.#asked = false;
      this.#deps.report('The events could not be read', error);
    }
  }

  #abortAll(): void {
    this.#asking.forEach(asking => asking.abort());
    this.#asking.clear();
  }
}
