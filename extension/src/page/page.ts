/** The one page: the offer table, or a cluster with its timeline and what it costs. It knows only what it is told. */
import '@hitch/views/define-looking';
import type { Cluster, ClusterEvent, OfferPage, OfferQuery } from '@hitch/contract';
import { type FromPage, type Place, placeSchema, type ToPage, toPageSchema } from './messages.ts';
import { clusterView } from './cluster-view.ts';
import { comparePage } from './compare-page.ts';
import { jobPage } from './job-page.ts';
import { templatePage } from './template-page.ts';
import { pageStyles } from './styles.ts';
import { useAsking } from './use-asking.ts';

interface Host {
  postMessage(message: FromPage): void;
  getState(): unknown;
  setState(state: Place): void;
}
declare function acquireVsCodeApi(): Host;

const host = acquireVsCodeApi();
const say = (message: FromPage): void => host.postMessage(message);

interface Waiting {
  readonly resolve: (page: OfferPage) => void;
  readonly reject: (error: Error) => void;
}
const waiting = new Map<number, Waiting>();
let questions = 0;

/** Asks the daemon through the extension. */
function query(asked: OfferQuery, signal: AbortSignal): Promise<OfferPage> {
  const question = ++questions;
  signal.addEventListener('abort', () => {
    if (waiting.delete(question)) {
      say({ kind: 'abort', question });
    }
  });
  return new Promise((resolve, reject) => {
    waiting.set(question, { resolve, reject });
    say({ kind: 'query', question, query: asked });
  });
}

function answered(question: number, give: (waiting: Waiting) => void): void {
  const found = waiting.get(question);
  waiting.delete(question);
  if (found !== undefined) {
    give(found);
  }
}

/** Made once; it keeps its rows, selection and place while the rest changes around it. */
function makeTable(): HTMLElementTagNameMap['hitch-offer-table'] {
  const table = document.createElement('hitch-offer-table');
  table.addEventListener('hitch-rent', ({ detail: { offers, nodes, filter } }) => {
    say({ kind: 'rent', offerIds: offers.map(({ id }) => id), nodes, filter });
  });
  const keep = (): void => {
    const columns = table.columnChoice === null ? null : [...table.columnChoice];
    const place: Place = { view: 'offers', filter: table.filter, sort: table.sort, columns };
    host.setState(place);
    say({ kind: 'keep', place });
  };
  // The table has what it tells of by then.
  table.addEventListener('hitch-filter-change', keep);
  table.addEventListener('hitch-columns-change', keep);
  table.addEventListener('hitch-refresh', () => say({ kind: 'ask-networks' }));
  table.addEventListener('hitch-connect', () => say({ kind: 'connect' }));
  return table;
}

const main = document.querySelector('main') ?? document.body;
let table: HTMLElementTagNameMap['hitch-offer-table'] | null = null;
const use = useAsking(say);
const details = clusterView(action => say({ kind: 'action', action }), use.ask);

function showOffers({ place, providers, offline }: Extract<ToPage, { kind: 'show' }>): void {
  if (place.view !== 'offers') {
    return;
  }
  if (table === null) {
    table = makeTable();
    table.filter = place.filter;
    table.sort = place.sort;
    table.columnChoice = place.columns;
    main.replaceChildren(table);
  }
  table.offline = offline;
  table.providers = providers;
  // The networks decide whether practice comes first, so the first question waits for them.
  if (providers !== null && table.query === null) {
    table.query = query;
  }
}

function showCluster(cluster: Cluster | null, events: readonly ClusterEvent[]): void {
  if (!details.root.isConnected) {
    main.replaceChildren(details.root);
  }
  details.show(cluster, events);
}

const job = jobPage(say);
const compare = comparePage();
const templates = templatePage(say, place => {
  host.setState(place);
  say({ kind: 'keep', place });
});

function take(message: ToPage): void {
  if (message.kind === 'job' && !job.root.isConnected) {
    document.body.dataset['view'] = 'job';
    main.replaceChildren(job.root);
  }
  if (message.kind === 'compare' && !compare.root.isConnected) {
    document.body.dataset['view'] = 'compare';
    main.replaceChildren(compare.root);
  }
  if (message.kind === 'templates' && !templates.root.isConnected) {
    document.body.dataset['view'] = 'templates';
    main.replaceChildren(templates.root);
  }
  if (use.take(message) || job.take(message) || templates.take(message)) {
    return;
  }
  switch (message.kind) {
    case 'show':
      document.body.dataset['view'] = message.place.view;
      host.setState(message.place);
      showOffers(message);
      break;
    case 'compare':
      compare.show(message);
      break;
    case 'cluster':
      showCluster(message.cluster, message.events);
      break;
    case 'page':
      answered(message.question, ({ resolve }) => resolve(message.page));
      break;
    case 'problem':
      answered(message.question, ({ reject }) => reject(new Error(message.sentence)));
      break;
    case 'refresh':
      table?.refresh();
      break;
    case 'job':
    case 'job-log':
    case 'job-finds':
    case 'job-metrics':
    case 'use':
    case 'templates':
    case 'template':
    case 'template-ran':
      // Taken above, or nobody waits for it any more.
      break;
  }
}

document.adoptedStyleSheets = [...document.adoptedStyleSheets, pageStyles()];
window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  const parsed = toPageSchema.safeParse(data);
  if (parsed.success) {
    take(parsed.data);
  } else {
    console.warn('Hitch sent a message that this page does not understand', parsed.error);
  }
});
const kept = placeSchema.safeParse(host.getState());
say({ kind: 'ready', kept: kept.success ? kept.data : null });
