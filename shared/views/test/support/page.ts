/** What runs inside the tests' browser page: the views, and a daemon made of arrays. */
import '../../src/define.ts';
import type {
  Job,
  JobWork,
  Offer,
  OfferPage,
  OfferQuery,
  TemplateDetails,
  TemplateInfo,
} from '@hitch/contract';
import { compareJobs } from '@hitch/contract/src/job-compare.ts';
import { adoptJupyterTheme } from '../../src/index.ts';
import { answer, MOMENT_MS, testOffer, testOffers, testProviders } from './offers.ts';
import * as measure from './measure.ts';
import { testJob } from './job.ts';
import { testDetails, testTemplate } from './templates.ts';
import { testCluster, testEvents, testQuote } from './cluster.ts';
import { testUse } from './use.ts';

export interface AskedPage {
  readonly query: OfferQuery;
  aborted: boolean;
}

const workOf = (lr: string): JobWork => ({
  kind: 'command',
  command: ['python', 'train.py', '--lr', lr, '--epochs', '3'],
});

/** What tests reach through `window.views`. */
const views = {
  measure,
  offers: [] as Offer[],
  asked: [] as AskedPage[],
  /** Events that reached the document, by name. */
  heard: [] as { name: string; detail: unknown }[],
  delayMs: 0,
  failure: null as string | null,
  matchedOverride: null as number | null,

  ask: async (query: OfferQuery, signal: AbortSignal): Promise<OfferPage> => {
    const asked: AskedPage = { query, aborted: false };
    views.asked.push(asked);
    signal.addEventListener('abort', () => (asked.aborted = true));
    if (views.delayMs > 0) {
      await new Promise(resolve => setTimeout(resolve, views.delayMs));
    }
    if (views.failure !== null) {
      throw new Error(views.failure);
    }
    return views.page(query);
  },

  page(query: OfferQuery): OfferPage {
    const key = JSON.stringify([query.filter, query.sort, views.offers.length]);
    if (key !== views.sortedFor) {
      views.sortedFor = key;
      views.sorted = answer(views.offers, { ...query, offset: 0, limit: Infinity });
    }
    const all = views.sorted;
    if (all === null) {
      throw new Error('nothing was sorted');
    }
    return { ...all, offers: all.offers.slice(query.offset, query.offset + query.limit) };
  },
  sortedFor: '',
  sorted: null as OfferPage | null,

  table(count: number) {
    views.offers = testOffers(count);
    return views.tableOf();
  },

  /** A table of the offers that are there already. */
  tableOf() {
    const table = document.createElement('hitch-offer-table');
    table.now = () => MOMENT_MS;
    table.providers = testProviders;
    table.query = views.ask;
    return views.show(table);
  },

  /** @param change what is other about its offer */
  form(change: Partial<Offer> = {}) {
    const form = document.createElement('hitch-rent-form');
    form.now = () => MOMENT_MS;
    form.offers = [testOffer(1, change)];
    form.providers = testProviders;
    form.secretNames = ['HF_TOKEN', 'WANDB_API_KEY'];
    form.takenNames = ['llm-dev'];
    form.canChooseFiles = true;
    const tags: string[] = [];
    const shipped = {
      tags,
      source: 'hitch',
      folder: '/templates',
      version: '1.0.0',
      needs: 'any machine',
      runs: false,
      problems: 0,
    } as const;
    form.templates = [
      {
        id: 'notebook',
        title: 'Notebook',
        description: 'Jupyter on one machine',
        engine: 'single',
        minNodes: 1,
        ...shipped,
      },
      { id: 'ray', title: 'Ray', description: 'A Ray cluster', engine: 'ray', minNodes: 1, ...shipped },
    ];
    return views.show(form);
  },

  confirm() {
    const confirm = document.createElement('hitch-confirm');
    confirm.now = () => MOMENT_MS;
    confirm.quote = testQuote();
    confirm.where = 'Approve it in the Hitch window that opened.';
    confirm.command = 'hitch approve a3f0';
    confirm.canOpen = true;
    return views.show(confirm);
  },

  /** A job that prints what `log` says, one page at a time. */
  job(change: Partial<Job> = {}, text = 'step 1\nstep 2\n') {
    const view = document.createElement('hitch-job');
    view.now = () => MOMENT_MS;
    view.job = testJob(change);
    const isOver = view.job.runs[0]?.endedAtMs !== null;
    view.log = ({ from = 0 }, signal) => {
      const bytes = new TextEncoder().encode(text).slice(from);
      const page = { run: 1, from, bytes, next: text.length, endByte: text.length, isOver };
      return from < text.length || isOver
        ? Promise.resolve(page)
        : new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(new Error('aborted'))),
          );
    };
    view.search = wanted =>
      Promise.resolve({
        run: 1,
        lines: text.includes(wanted) ? [{ at: text.indexOf(wanted), text: wanted }] : [],
        next: null,
      });
    return views.show(view);
  },

  /** Two jobs beside each other, of which the learning rate differs. */
  compare() {
    const view = document.createElement('hitch-job-compare');
    const one = (lr: string) => ({
      job: testJob({ name: `lr-${lr}`, spec: { ...testJob().spec, work: workOf(lr) } }),
      attempt: { offerTitle: '1× RTX 4090, 24 GB', pricePerHourMicroUsd: '420000' },
      lock: null,
      metrics: [],
    });
    const [a, b] = [one('0.1'), one('0.01')] as const;
    view.jobs = {
      names: [a.job.name, b.job.name],
      comparison: compareJobs(a, b, MOMENT_MS),
      notes: ['lr-0.1: its lock (env-1) is not on this computer any more.'],
    };
    return views.show(view);
  },

  /** Templates whose values the daemon's own rules judge. */
  templates(infos: readonly Partial<TemplateInfo>[] = [{}], change: Partial<TemplateDetails> = {}) {
    const view = document.createElement('hitch-templates');
    view.templates = infos.map(testTemplate);
    view.canAddFolder = true;
    view.show = choice =>
      views.failure === null
        ? Promise.resolve(testDetails(choice, change))
        : Promise.reject(new Error(views.failure));
    return views.show(view);
  },

  timeline() {
    const timeline = document.createElement('hitch-timeline');
    timeline.now = () => MOMENT_MS;
    timeline.cluster = testCluster();
    timeline.events = testEvents();
    return views.show(timeline);
  },

  plot() {
    const plot = document.createElement('hitch-cost-plot');
    plot.now = () => MOMENT_MS;
    plot.cluster = testCluster();
    return views.show(plot);
  },

  use() {
    const view = document.createElement('hitch-use');
    view.now = () => MOMENT_MS;
    view.nodes = [
      { index: 0, title: '1× RTX 4090, 24 GB' },
      { index: 1, title: '1× RTX 4090, 24 GB' },
    ];
    view.ask = (node, { scale = 'fine', afterMs = 0 }) => {
      const page = testUse(`node ${node.toString()}, ${scale}`);
      return Promise.resolve(afterMs === 0 ? page : { timesMs: [], series: [], more: false });
    };
    return views.show(view);
  },

  show<T extends HTMLElement>(element: T): T {
    const main = document.querySelector('main');
    main?.replaceChildren(element);
    return element;
  },
};

declare global {
  interface Window {
    views: typeof views;
  }
}

adoptJupyterTheme(document);
window.views = views;
for (const name of [
  'hitch-rent',
  'hitch-filter-change',
  'hitch-columns-change',
  'hitch-compare',
  'hitch-connect',
  'hitch-refresh',
  'hitch-quote-request',
  'hitch-choose-files',
  'hitch-add-secret',
  'hitch-lock-packages',
  'hitch-confirm',
  'hitch-quote-again',
  'hitch-cancel',
  'hitch-job',
  'hitch-template-choice',
  'hitch-template-rent',
  'hitch-template-run',
  'hitch-template-leave',
  'hitch-template-folder',
]) {
  document.addEventListener(name, event => {
    views.heard.push({ name, detail: event instanceof CustomEvent ? event.detail : null });
  });
}
