/** Starts every feature, each behind the guard. A table of contents; later features add a line. */
import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import { connect } from '../daemon/connect.ts';
import { bundledProgram } from '../daemon/program.ts';
import { createAlerts } from './alerts.ts';
import { createClusterCommands } from './cluster-commands.ts';
import { type ClustersViewApi, createClustersView } from './clusters-view.ts';
import { Commands } from './commands.ts';
import { ContextKeys } from './context-keys.ts';
import { createEnvironmentModule } from './environment-module.ts';
import { createFiles, type FilesApi } from './files-module.ts';
import { createGuard } from './guard.ts';
import { createJobsModule } from './jobs-module.ts';
import { createJobsView, type JobsViewApi } from './jobs-view.ts';
import { createKernelModule, type KernelApi } from './kernel-module.ts';
import { Memory } from './memory.ts';
import { createMissing } from './missing.ts';
import { disposable, type Host } from './module.ts';
import { createNetworksModule } from './networks-module.ts';
import { createNetworksView, type NetworksViewApi } from './networks-view.ts';
import { createOffersView } from './offers-view.ts';
import { createRentModule } from './rent-module.ts';
import { createPages, type PagesApi } from './pages.ts';
import { createPorts } from './ports-module.ts';
import { createReports, type ReportsApi } from './reports.ts';
import { createPresetsModule } from './presets-module.ts';
import { createRunNotices } from './run-notices.ts';
import { createRunOn } from './run-on.ts';
import { Settings } from './settings.ts';
import { createStatusBar, type StatusBarApi } from './status-bar.ts';
import { createSupport } from './support-module.ts';
import { createTemplateProblems } from './template-problems.ts';
import { createTemplateSharing } from './template-sharing.ts';
import { createTemplatesModule } from './templates-module.ts';
import { createTemplatesView } from './templates-view.ts';
import { createLog } from './screen.ts';
import { createTerminals, type TerminalsApi } from './terminals.ts';
import { createWorkspace, type WorkspaceApi } from './workspace-module.ts';

/** What each feature offers to the others and to the tests; null for one that could not start. */
export interface Features {
  readonly host: Host;
  readonly clusters: ClustersViewApi | null;
  readonly files: FilesApi | null;
  readonly jobs: JobsViewApi | null;
  readonly kernel: KernelApi | null;
  readonly networks: NetworksViewApi | null;
  readonly pages: PagesApi | null;
  readonly reports: ReportsApi | null;
  readonly statusBar: StatusBarApi | null;
  readonly terminals: TerminalsApi | null;
  readonly workspace: WorkspaceApi | null;
}

function createHost(context: vscode.ExtensionContext): Host {
  const log = createLog('Hitch');
  const settings = new Settings();
  const memory = new Memory(context.globalState);
  const connection = connect({
    homeFolder: settings.get('hitch.home'),
    program: bundledProgram(context.extensionPath, {
      python: settings.get('hitch.python'),
      busy: {
        cpuPercent: settings.get('hitch.busy.cpuPercent'),
        kilobytesPerSecond: settings.get('hitch.busy.kilobytesPerSecond'),
      },
    }),
    // Clusters that lived when a window last looked need their daemon, whether or not anybody looks now.
    wantedFromTheStart: memory.get('servers').length > 0,
    folders: () => [
      ...(vscode.workspace.workspaceFolders ?? [])
        .filter(({ uri }) => uri.scheme === 'file')
        .map(({ uri }) => uri.fsPath),
      ...settings.get('hitch.templates.folders').filter(folder => isAbsolute(folder)),
    ],
    report: (problem, error) => log.warn(problem, error instanceof Error ? error.message : String(error)),
  });
  context.subscriptions.push(
    log,
    disposable(() => connection.model.dispose()),
  );
  return {
    context,
    log,
    connection,
    memory,
    windowMemory: new Memory(context.workspaceState),
    settings,
    commands: new Commands(log),
    contextKeys: new ContextKeys(),
  };
}

export function startFeatures(context: vscode.ExtensionContext): Features {
  const host = createHost(context);
  const guard = createGuard(context, host.log);
  guard.start('Support', () => createSupport(host));
  const clusters = guard.start('The Clusters view', () => createClustersView(host));
  const offers = guard.start('The Offers view', () => createOffersView(host));
  const networks = guard.start('The Networks view', () => createNetworksView(host));
  guard.start('Networks', () => createNetworksModule(host, networks));
  guard.start('The Templates view', () => createTemplatesView(host));
  guard.start('Checks of templates', () => createTemplateProblems(host));
  const statusBar = guard.start('The status bar', () =>
    createStatusBar(host, id => clusters?.kernelsOf(id) ?? []),
  );
  const rent = guard.start('Renting', () => createRentModule(host, { clusters, offers }));
  const rentForKernel = async () => (await rent?.rentAndWait()) ?? null;
  const kernel = guard.start('The kernel bridge', () => createKernelModule(host, rentForKernel));
  const runOn = guard.start('Run on…', () => createRunOn(host, kernel, rent));
  guard.start('Presets', () => createPresetsModule(host));
  const reports = guard.start('Logs and timeline', () => createReports(host));
  const clusterCommands = guard.start('Cluster commands', () =>
    createClusterCommands(host, { rent, runOn, reports }),
  );
  guard.start('Environments', () => createEnvironmentModule(host));
  const workspace = guard.start('Open Workspace', () => createWorkspace(host));
  guard.start('Messages', () => createAlerts(host, { clusterCommands }));
  const pages = guard.start('The offer table', () => createPages(host, { rent, reports }));
  guard.start('Templates', () => createTemplatesModule(host, { pages }));
  guard.start('Shared templates', () => createTemplateSharing(host));
  const files = guard.start('Files', () => createFiles(host, { clusters, reports }));
  guard.start('Ends of long cells', () => createRunNotices(host));
  guard.start('What cells miss', () => createMissing(host, { files }));
  const jobs = guard.start('The Jobs view', () => createJobsView(host));
  guard.start('Jobs', () => createJobsModule(host, { view: jobs, files, pages }));
  const terminals = guard.start('Terminals', () => createTerminals(host));
  guard.start('Ports', () => createPorts(host, { clusters, terminals, runOn }));
  host.connection.model.start();
  return { host, clusters, files, jobs, kernel, networks, pages, reports, statusBar, terminals, workspace };
}
