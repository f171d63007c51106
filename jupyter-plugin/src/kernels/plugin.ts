/** JupyterLab's own managers, with clients that know clusters. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { SessionContext } from '@jupyterlab/apputils';
import { IConsoleTracker } from '@jupyterlab/console';
import { PageConfig } from '@jupyterlab/coreutils';
import {
  IConnectionStatus,
  IKernelManager,
  IKernelSpecManager,
  ISessionManager,
  type Kernel,
  KernelManager,
  type KernelSpec,
  KernelSpecManager,
  type ServiceManagerPlugin,
  type Session,
  SessionManager,
} from '@jupyterlab/services';
import { INotebookCellExecutor, runCell } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Border } from '../outputs/border.ts';
import { ClusterComms } from '../outputs/comms.ts';
import { IHitch } from '../tokens.ts';
import { KernelClient, SpecClient } from './clients.ts';
import { JournalPlaces } from './journal-places.ts';
import { Keeper } from './keeper.ts';
import { limitsOf, serverRunsCells } from './limits.ts';
import { isRemoteName } from './names.ts';
import { runOwnCells } from './own-cells.ts';
import { Places } from './places.ts';
import { beReadyWithKernel } from './ready.ts';
import { routingSocket } from './routing-socket.ts';
import { scopeOf } from './scope.ts';
import { SessionClient } from './session-client.ts';
import { IKernelRouter } from './tokens.ts';
import { Waiting } from './waiting.ts';

/** As the managers that these replace: no polling while the connection is known to be lost or nobody looks. */
const standby = (status: IConnectionStatus | null) => () =>
  status !== null && !status.isConnected ? true : ('when-hidden' as const);

const kernelRouter: ServiceManagerPlugin<IKernelRouter> = {
  id: 'jupyterlab-hitch:kernel-router',
  description: 'Directs kernels and sessions to the clusters they run on.',
  autoStart: true,
  provides: IKernelRouter,
  requires: [IHitch],
  activate: (_: null, hitch: IHitch): IKernelRouter => {
    const places = new Places(hitch);
    const scope = scopeOf(PageConfig.getOption('serverRoot'));
    const comms = new ClusterComms();
    return {
      places,
      comms,
      border: new Border(comms),
      sessions: new SessionClient(places, scope),
      managers: new Set(),
      waiting: new Waiting(),
      journal: new JournalPlaces(),
    };
  },
};

const kernelSpecManager: ServiceManagerPlugin<KernelSpec.IManager> = {
  id: 'jupyterlab-hitch:kernel-spec-manager',
  description: 'Provides the kernelspecs of this server and of all clusters.',
  autoStart: true,
  provides: IKernelSpecManager,
  requires: [IKernelRouter],
  optional: [IConnectionStatus],
  activate: (_: null, router: IKernelRouter, status: IConnectionStatus | null): KernelSpec.IManager => {
    const { places } = router;
    const manager = new KernelSpecManager({
      serverSettings: places.local,
      kernelSpecAPIClient: new SpecClient(places),
      standby: standby(status),
    });
    places.specsChanged.connect(() => void manager.refreshSpecs().catch(() => undefined), manager);
    router.managers.add(manager);
    return manager;
  },
};

const kernelManager: ServiceManagerPlugin<Kernel.IManager> = {
  id: 'jupyterlab-hitch:kernel-manager',
  description: 'Provides the kernels of this server and of all clusters.',
  autoStart: true,
  provides: IKernelManager,
  requires: [IKernelRouter],
  optional: [IConnectionStatus],
  activate: (_: null, router: IKernelRouter, status: IConnectionStatus | null): Kernel.IManager => {
    const { places, journal, border } = router;
    const { local } = places;
    const open = (url: string, protocols: string[]) => new local.WebSocket(url, protocols);
    const manager = new KernelManager({
      serverSettings: {
        ...local,
        WebSocket: routingSocket(places, open, border.note, { onDelivered: journal.note, tellBusy: true }),
        serializer: journal.reading(border.reading(local.serializer)),
      },
      kernelAPIClient: new KernelClient(places),
      kernelSpecAPIClient: new SpecClient(places),
      standby: standby(status),
    });
    places.runningChanged.connect(() => void manager.refreshRunning().catch(() => undefined), manager);
    router.managers.add(manager);
    return manager;
  },
};

const sessionManager: ServiceManagerPlugin<Session.IManager> = {
  id: 'jupyterlab-hitch:session-manager',
  description: 'Provides the sessions of this server and of all clusters.',
  autoStart: true,
  provides: ISessionManager,
  requires: [IKernelRouter, IKernelManager],
  optional: [IConnectionStatus],
  activate: (
    _: null,
    router: IKernelRouter,
    kernels: Kernel.IManager,
    status: IConnectionStatus | null,
  ): Session.IManager => {
    const { places, sessions } = router;
    const manager = new SessionManager({
      serverSettings: places.local,
      kernelManager: kernels,
      sessionAPIClient: sessions,
      standby: standby(status),
    });
    places.runningChanged.connect(() => void manager.refreshRunning().catch(() => undefined), manager);
    router.managers.add(manager);
    return manager;
  },
};

const keeper: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:kernel-keeper',
  description: 'Keeps notebooks and consoles from running elsewhere while their cluster is away.',
  autoStart: true,
  requires: [IKernelRouter],
  optional: [IConsoleTracker],
  activate: (app: JupyterFrontEnd, router: IKernelRouter, consoles: IConsoleTracker | null): void => {
    beReadyWithKernel(SessionContext.prototype);
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (_panel, context) => {
        new Keeper(context.sessionContext, router);
      },
    });
    consoles?.widgetAdded.connect((_, { sessionContext }) => {
      new Keeper(sessionContext, router);
    });
  },
};

const limits: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:limits',
  description: 'Runs cells on clusters where the server runs the other cells, and says what prevents it.',
  autoStart: true,
  requires: [IHitch, IKernelRouter],
  optional: [ITranslator, INotebookCellExecutor],
  activate: (
    app,
    hitch: IHitch,
    router: IKernelRouter,
    translator: ITranslator | null,
    executor: INotebookCellExecutor | null,
  ) => {
    const { kernels, kernelspecs, sessions } = app.serviceManager;
    const trans = (translator ?? nullTranslator).load('jupyterlab_hitch');
    const page = { option: (name: string) => PageConfig.getOption(name), plugins: app.listPlugins() };
    const surroundings = {
      runsCells: !serverRunsCells(page) || runOwnCells(executor, runCell),
      routed: [kernels, kernelspecs, sessions].every(manager => router.managers.has(manager)),
    };
    const found = limitsOf(surroundings, trans);
    found.forEach(sentence => hitch.limit(sentence));
    if (found.length === 0) {
      return;
    }
    let told = false;
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (_panel, { sessionContext }) => {
        sessionContext.kernelChanged.connect((_, { newValue }) => {
          if (!told && isRemoteName(newValue?.name)) {
            told = true;
            void import('../actions/report.ts').then(({ warned }) => found.forEach(text => warned(text)));
          }
        });
      },
    });
  },
};

export const notebooks = [keeper, limits];
export const managers = [kernelRouter, kernelSpecManager, kernelManager, sessionManager];
