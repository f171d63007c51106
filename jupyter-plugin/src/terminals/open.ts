import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, type WidgetTracker } from '@jupyterlab/apputils';
import { type Cluster, type ClusterId, clusterIdSchema, HitchError, isOver } from '@hitch/contract';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { type ITerminal, Terminal } from '@jupyterlab/terminal';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { terminalIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Title, Widget } from '@lumino/widgets';
import { targetCluster } from '../actions/target.ts';
import type { IHitch } from '../tokens.ts';
import { notify } from '../ui/notify.ts';
import { setTitle } from '../ui/text.ts';
import { ClusterTerminal } from './connection.ts';
import { ClusterTerminals } from './places.ts';

export interface TerminalOpenerOptions {
  readonly app: JupyterFrontEnd;
  readonly hitch: IHitch;
  readonly settings: ISettingRegistry | null;
  readonly translator: ITranslator;
  readonly trans: TranslationBundle;
  readonly tracker: WidgetTracker<MainAreaWidget<ITerminal.ITerminal>>;
  /** Where terminals stand: Notebook 7 keeps its main area for one document. */
  readonly area: 'main' | 'down';
}

/** The settings of JupyterLab's own terminals hold for these too. */
const TERMINAL_SETTINGS = '@jupyterlab/terminal-extension:plugin';

const idOf = (clusterId: string, name: string): string => `jp-hitch-terminal/${clusterId}/${name}`;

const hasTerminals = ({ phase }: Cluster): boolean => phase === 'ready' || phase === 'degraded';

export class TerminalOpener {
  readonly #options: TerminalOpenerOptions;
  readonly #terminals: ClusterTerminals;

  constructor(options: TerminalOpenerOptions) {
    this.#options = options;
    const { hitch } = options;
    this.#terminals = new ClusterTerminals({
      client: hitch.client,
      serverSettings: hitch.serverSettings,
      cluster: id => hitch.clusters.find(cluster => cluster.id === id),
    });
  }

  /** @returns the widget; undefined when there is no such cluster or it does not answer. */
  async open(args: ReadonlyPartialJSONObject): Promise<MainAreaWidget<ITerminal.ITerminal> | undefined> {
    const { app, tracker, hitch, trans } = this.#options;
    const asked = clusterIdSchema.safeParse(args['clusterId'] ?? (await this.#asked(args)));
    if (!asked.success) {
      if (!hitch.clusters.some(hasTerminals)) {
        notify('info', trans.__('No cluster is running, so no terminal can be opened.'));
      }
      return undefined;
    }
    const clusterId = asked.data;
    let name: string;
    try {
      name =
        typeof args['name'] === 'string'
          ? args['name']
          : await this.#choose(clusterId, args['fresh'] === true);
    } catch (error) {
      const cluster = hitch.clusters.find(({ id }) => id === clusterId)?.name ?? clusterId;
      const why = error instanceof HitchError ? error.message : String(error);
      notify('error', trans.__('Could not open a terminal on %1. %2', cluster, why));
      return undefined;
    }
    const open = tracker.find(({ id }) => id === idOf(clusterId, name));
    const widget = open ?? (await this.#make(clusterId, name));
    app.shell.activateById(widget.id);
    return widget;
  }

  /** The only cluster, or the one that a person chooses. */
  async #asked(args: ReadonlyPartialJSONObject): Promise<string | undefined> {
    return (await targetCluster(this.#options, args, hasTerminals))?.id;
  }

  /** One that runs there and is not open here, such as one of yesterday; else a new one. */
  async #choose(clusterId: ClusterId, fresh: boolean): Promise<string> {
    const { tracker } = this.#options;
    const running = fresh ? [] : await this.#terminals.names(clusterId);
    const waiting = running.find(
      name => tracker.find(({ id }) => id === idOf(clusterId, name)) === undefined,
    );
    return waiting ?? this.#terminals.create(clusterId);
  }

  async #make(clusterId: ClusterId, name: string): Promise<MainAreaWidget<ITerminal.ITerminal>> {
    const { app, area, tracker, translator } = this.#options;
    const session = new ClusterTerminal(this.#terminals.place(clusterId, name));
    const looks = await this.#looks();
    const closesOnExit = looks.closeOnExit ?? true;
    // The widget itself would close on any end; this one tells ends apart, below.
    const options = { ...looks, shutdownOnClose: false, closeOnExit: false };
    const content = new Terminal(session, options, translator);
    content.title.icon = terminalIcon;
    const widget = new MainAreaWidget<ITerminal.ITerminal>({ content, reveal: content.ready });
    widget.id = idOf(clusterId, name);
    this.#keepTitle(content, clusterId, name);
    session.disposed.connect(() => {
      // `exit` closes it, as in JupyterLab's own; a cluster that ended leaves the last screen to be read.
      if (closesOnExit && this.#lives(clusterId)) {
        widget.dispose();
      }
    });
    widget.disposed.connect(() => {
      session.dispose();
    });
    app.shell.add(widget, area, { type: 'Terminal' });
    await tracker.add(widget);
    return widget;
  }

  #lives(clusterId: ClusterId): boolean {
    const cluster = this.#options.hitch.clusters.find(({ id }) => id === clusterId);
    return cluster !== undefined && !isOver(cluster) && cluster.phase !== 'stopping';
  }

  /** The shell there names its own title; the cluster's name stays with it. */
  #keepTitle(content: Widget, clusterId: ClusterId, name: string): void {
    const { hitch, trans } = this.#options;
    const cluster = (): string => hitch.clusters.find(({ id }) => id === clusterId)?.name ?? '';
    const fix = ({ label }: Title<Widget>): void => {
      const mark = cluster();
      if (mark !== '' && !label.startsWith(mark)) {
        setTitle(content.title, trans.__('%1: %2', mark, label), trans.__('Terminal %1 on %2', name, mark));
      }
    };
    const look = (): void => fix(content.title);
    content.title.changed.connect(fix);
    hitch.changed.connect(look);
    content.disposed.connect(() => {
      hitch.changed.disconnect(look);
    });
    look();
  }

  async #looks(): Promise<Partial<ITerminal.IOptions>> {
    const loaded = await this.#options.settings?.load(TERMINAL_SETTINGS).catch(() => null);
    return loaded?.composite ?? {};
  }
}
