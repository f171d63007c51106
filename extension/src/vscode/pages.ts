/** The one webview, in as many panels as are wanted: the offer table, and a cluster's timeline and cost. */
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import type { Cluster, Job } from '@hitch/contract';
import type { CommandId } from '../declared/commands.ts';
import { PAGE } from '../declared/views.ts';
import type { JobAction, PageAction, Place, ToPage } from '../page/messages.ts';
import type { Talk } from '../page/talk.ts';
import type { TemplateTalk } from '../page/template-talk.ts';
import { disposable, type Ending, type Host, type Module } from './module.ts';
import type { RentApi } from './rent-module.ts';
import type { ReportsApi } from './reports.ts';
import { createPanel } from './screen.ts';

export interface PagesApi {
  showOffers(): Promise<void>;
  showCluster(cluster: Cluster): Promise<void>;
  showJob(job: Pick<Job, 'id' | 'name'>): Promise<void>;
  showComparison(one: Pick<Job, 'id' | 'name'>, other: Pick<Job, 'id' | 'name'>): Promise<void>;
  /** With the form of one that is named. */
  showTemplates(template: string | null): Promise<void>;
  /** What is open. */
  places(): readonly Place[];
}

const COMMAND_OF: Readonly<Record<PageAction, CommandId>> = {
  runOn: 'hitch.cluster.runOn',
  terminal: 'hitch.cluster.terminal',
  files: 'hitch.cluster.files',
  extend: 'hitch.cluster.extend',
  stop: 'hitch.cluster.stop',
  cancel: 'hitch.cluster.cancel',
  logs: 'hitch.cluster.logs',
  startAgain: 'hitch.cluster.startAgain',
};

const JOB_COMMAND_OF: Readonly<Record<JobAction, CommandId>> = {
  stop: 'hitch.jobs.stop',
  again: 'hitch.jobs.again',
  fetch: 'hitch.jobs.fetch',
  fetchCheckpoint: 'hitch.jobs.fetchCheckpoint',
};

const FIRST_OFFERS: Place = {
  view: 'offers',
  filter: null,
  sort: { key: 'best', descending: false },
  columns: null,
};
/** Networks change their offers by the minute. */
const OFFERS_EVERY_MS = 60_000;
const JOB_EVERY_MS = 1_500;
const COMPARISON_EVERY_MS = 15_000;
const TEMPLATES_EVERY_MS = 5_000;

function everyMs({ view }: Place): number {
  switch (view) {
    case 'job':
      return JOB_EVERY_MS;
    case 'compare':
      return COMPARISON_EVERY_MS;
    case 'templates':
      return TEMPLATES_EVERY_MS;
    case 'offers':
    case 'cluster':
      return OFFERS_EVERY_MS;
  }
}

function isSame(one: Place, other: Place): boolean {
  switch (one.view) {
    case 'offers':
      return other.view === 'offers';
    case 'cluster':
      return other.view === 'cluster' && one.clusterId === other.clusterId;
    case 'job':
      return other.view === 'job' && one.jobId === other.jobId;
    case 'compare':
      return other.view === 'compare' && one.jobIds.join() === other.jobIds.join();
    case 'templates':
      return other.view === 'templates';
  }
}

export function createPages(
  host: Host,
  { rent, reports }: { readonly rent: RentApi | null; readonly reports: ReportsApi | null },
): Module<PagesApi> {
  const { commands, connection, context, log } = host;
  const { model } = connection;
  const root = vscode.Uri.joinPath(context.extensionUri, 'dist', 'page');
  const options = { enableScripts: true, localResourceRoots: [root] };
  const open = new Map<vscode.WebviewPanel, Place>();
  /** Of the page of templates, which is told when another one is chosen elsewhere. */
  let templateTalk: TemplateTalk | null = null;
  const report = (problem: string, error: unknown) => log.warn(problem, String(error));

  const fill = async (panel: vscode.WebviewPanel, place: Place): Promise<void> => {
    open.set(panel, place);
    const endings: Ending[] = [];
    panel.onDidDispose(() => {
      open.delete(panel);
      endings.forEach(ending => ending.dispose());
    });
    const [
      { Talk: Conversation },
      { CompareTalk },
      { JobTalk },
      { TemplateTalk: OfTemplates },
      ofTemplates,
      { pageHtml },
    ] = await Promise.all([
      import('../page/talk.ts'),
      import('../page/compare-talk.ts'),
      import('../page/job-talk.ts'),
      import('../page/template-talk.ts'),
      import('./run-template.ts'),
      import('../page/html.ts'),
    ]);
    if (!open.has(panel)) {
      // Closed before the rest was loaded.
      return;
    }
    const { webview } = panel;
    const post = (message: ToPage): void => {
      Promise.resolve(webview.postMessage(message)).catch((error: unknown) =>
        report('A page was not told', error),
      );
    };
    const talk =
      place.view === 'templates'
        ? (templateTalk = new OfTemplates(
            {
              state: () => model.state,
              client: () => model.client,
              onChange: listener => model.onChange(listener),
              post,
              list: () => model.listTemplates(),
              rent: details => {
                rent
                  ?.rentTemplate(details)
                  .catch((error: unknown) => commands.tell('hitch.rent.fromTemplate', error));
              },
              run: async (details, choice, limits, signal) => {
                const job = await ofTemplates.runTemplate(model, { details, choice, limits }, signal);
                if (job !== null) {
                  await showJob(job);
                }
              },
              ownLimits: () => ofTemplates.ownRunLimits(host),
              addFolder: () => {
                void vscode.commands.executeCommand('hitch.templates.addFolder');
              },
              report,
            },
            place.choice,
          ))
        : place.view === 'job'
          ? new JobTalk(
              {
                client: () => model.client,
                post,
                act: (action, jobId) => {
                  void vscode.commands.executeCommand(JOB_COMMAND_OF[action], jobId);
                },
                report,
              },
              place.jobId,
            )
          : place.view === 'compare'
            ? new CompareTalk(
                { client: () => model.client, post, report, nowMs: () => Date.now() },
                place.jobIds,
              )
            : new Conversation(
                {
                  state: () => model.state,
                  client: () => model.client,
                  onChange: listener => model.onChange(listener),
                  onEvent: listener => model.onEvent(listener),
                  post,
                  rent: (offers, nodes, filter) => {
                    rent
                      ?.rentOffers(offers, nodes, filter)
                      .catch((error: unknown) => commands.tell('hitch.rent.new', error));
                  },
                  connect: () => {
                    void vscode.commands.executeCommand('hitch.networks.connect');
                  },
                  act: (action, clusterId) => {
                    void vscode.commands.executeCommand(COMMAND_OF[action], clusterId);
                  },
                  report,
                },
                place,
              );
    endings.push(
      disposable(() => talk.dispose()),
      webview.onDidReceiveMessage((said: unknown) => talk.take(said)),
      looks(panel),
      keepFresh(panel, talk, everyMs(place)),
    );
    webview.options = options;
    webview.html = pageHtml({
      nonce: randomUUID().replaceAll('-', ''),
      script: webview.asWebviewUri(vscode.Uri.joinPath(root, 'page.js')).toString(),
      title: panel.title,
    });
  };

  /** Signals are asked for while somebody looks. */
  const looks = (panel: vscode.WebviewPanel): Ending => {
    let counted = false;
    const count = (visible: boolean): void => {
      if (visible !== counted) {
        counted = visible;
        model.looking(visible ? 1 : -1);
      }
    };
    count(panel.visible);
    const change = panel.onDidChangeViewState(() => count(panel.visible));
    return disposable(() => {
      change.dispose();
      count(false);
    });
  };
  const keepFresh = (panel: vscode.WebviewPanel, talk: Pick<Talk, 'refresh'>, pauseMs: number): Ending => {
    const tick = setInterval(() => {
      if (panel.visible) {
        talk.refresh();
      }
    }, pauseMs);
    return disposable(() => clearInterval(tick));
  };

  const show = async (place: Place, title: string, icon: string): Promise<void> => {
    const [there] = [...open].find(([, shown]) => isSame(shown, place)) ?? [];
    if (there !== undefined) {
      there.reveal();
      return;
    }
    const panel = createPanel(PAGE, title, options);
    panel.iconPath = vscode.Uri.joinPath(context.extensionUri, 'media', icon);
    await fill(panel, place);
  };
  const showOffers = async (): Promise<void> => {
    await model.need();
    await show(FIRST_OFFERS, 'Offers', 'gpus.svg');
  };
  const showCluster = ({ id, name }: Cluster): Promise<void> =>
    show({ view: 'cluster', clusterId: id }, name, 'gpus.svg');
  const showJob = async ({ id, name }: Pick<Job, 'id' | 'name'>): Promise<void> => {
    await model.need();
    await show({ view: 'job', jobId: id }, name, 'gpus.svg');
  };
  const showComparison = async (
    one: Pick<Job, 'id' | 'name'>,
    other: Pick<Job, 'id' | 'name'>,
  ): Promise<void> => {
    await model.need();
    await show({ view: 'compare', jobIds: [one.id, other.id] }, `${one.name} and ${other.name}`, 'gpus.svg');
  };
  const showTemplates = async (template: string | null): Promise<void> => {
    await model.need();
    const isOpen = [...open.values()].some(({ view }) => view === 'templates');
    const choice = template === null ? null : { template, preset: null, values: {} };
    await show({ view: 'templates', choice }, 'Templates', 'gpus.svg');
    if (isOpen && template !== null) {
      templateTalk?.choose(template);
    }
  };
  reports?.showTimelineWith(showCluster);

  return {
    api: {
      showOffers,
      showCluster,
      showJob,
      showComparison,
      showTemplates,
      places: () => [...open.values()],
    },
    disposables: [
      commands.register('hitch.offers.table', showOffers),
      vscode.window.registerWebviewPanelSerializer(PAGE, {
        deserializeWebviewPanel: async (panel, state) => {
          const { placeSchema } = await import('../page/messages.ts');
          const kept = placeSchema.safeParse(state);
          await fill(panel, kept.success ? kept.data : FIRST_OFFERS);
        },
      }),
    ],
  };
}
