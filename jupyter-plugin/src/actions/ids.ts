/** The commands of the panel, and which of them each action on a cluster runs. */
import { actionLabel, clusterActions, type Cluster, type ClusterAction, type TitleOf } from '@hitch/contract';
import type { TranslationBundle } from '@jupyterlab/translation';

export const COMMANDS = {
  openPanel: 'hitch:open-panel',
  newCluster: 'hitch:new-cluster',
  actOnCluster: 'hitch:act-on-cluster',
  refresh: 'hitch:refresh',
  networks: 'hitch:networks',
  addMachine: 'hitch:add-machine',
  showTimeline: 'hitch:show-timeline',
  showLogs: 'hitch:show-logs',
  stop: 'hitch:stop',
  cancel: 'hitch:cancel',
  extend: 'hitch:extend',
  remove: 'hitch:remove',
  retry: 'hitch:retry',
  saveNow: 'hitch:save-now',
  endSave: 'hitch:end-save',
  startAgain: 'hitch:start-again',
  nextOffer: 'hitch:next-offer',
  replace: 'hitch:replace',
  changeEnvironment: 'hitch:change-environment',
  keepEnvironment: 'hitch:keep-environment',
  saveTemplate: 'hitch:save-template',
  openPort: 'hitch:open-port',
} as const;

/** Those of other plugins of this package; each may be disabled. */
export const NEIGHBOURS = {
  runOn: 'hitch:run-on',
  rentPreset: 'hitch:rent-preset',
  rentQuickly: 'hitch:rent-quickly',
  runAfterRent: 'hitch:run-after-rent',
  editPresets: 'hitch:edit-presets',
  openTerminal: 'hitch:open-terminal',
  openFiles: 'hitch:open-files',
  openJob: 'hitch:open-job',
  compareJobs: 'hitch:compare-jobs',
  runAsJob: 'hitch:run-as-job',
  runCellAsJob: 'hitch:run-cell-as-job',
  templates: 'hitch:templates',
  documentation: 'hitch:documentation',
  reportProblem: 'hitch:report-problem',
} as const;

/** Where all of them stand in the palette: found by what they are about and by whose they are. */
export const paletteCategory = (trans: TranslationBundle): string => trans.__('GPUs (Hitch)');

/** What a person can do with a cluster: the actions of its state, and some of these clients’ own. */
export type RowAction =
  ClusterAction | 'timeline' | 'save' | 'endSave' | 'environment' | 'keepEnvironment' | 'template' | 'ports';

/** Null: there is nothing behind it yet, so it is not offered. */
export const COMMAND_OF: Readonly<Record<RowAction, string | null>> = {
  cancel: COMMANDS.cancel,
  logs: COMMANDS.showLogs,
  runOn: NEIGHBOURS.runOn,
  terminal: NEIGHBOURS.openTerminal,
  files: NEIGHBOURS.openFiles,
  extend: COMMANDS.extend,
  stop: COMMANDS.stop,
  replace: COMMANDS.replace,
  retry: COMMANDS.retry,
  openProvider: null,
  resume: null,
  startAgain: COMMANDS.startAgain,
  nextOffer: COMMANDS.nextOffer,
  remove: COMMANDS.remove,
  timeline: COMMANDS.showTimeline,
  save: COMMANDS.saveNow,
  endSave: COMMANDS.endSave,
  environment: COMMANDS.changeEnvironment,
  keepEnvironment: COMMANDS.keepEnvironment,
  template: COMMANDS.saveTemplate,
  ports: COMMANDS.openPort,
};

/** It runs, and its machines are asked. */
const canChange = (cluster: Cluster): boolean =>
  cluster.conditions.kernel.status === 'yes' && clusterActions(cluster).includes('stop');

/** Whether the row offers it in the cluster's present state. */
export function offers(cluster: Cluster, action: RowAction): boolean {
  switch (action) {
    case 'timeline':
      return true;
    case 'ports':
      return clusterActions(cluster).includes('runOn');
    case 'template':
    case 'save':
      return cluster.conditions.kernel.status === 'yes' && clusterActions(cluster).includes('stop');
    case 'endSave':
      return cluster.phase === 'stopping' && cluster.saving !== null;
    case 'environment':
      return canChange(cluster) && cluster.environment?.change === null;
    case 'keepEnvironment':
      return (cluster.environment?.change ?? null) !== null;
    case 'logs':
      return cluster.nodes.length > 0;
    default:
      return clusterActions(cluster).includes(action);
  }
}

export function rowActionLabel(
  action: RowAction,
  cluster: Cluster,
  titleOf: TitleOf,
  trans: TranslationBundle,
): string {
  switch (action) {
    case 'timeline':
      return trans.__('Timeline and cost');
    case 'save':
      return trans.__('Save now…');
    case 'endSave':
      return trans.__('Stop saving…');
    case 'environment':
      return trans.__('Change environment…');
    case 'keepEnvironment':
      return trans.__('Cancel the change');
    case 'template':
      return trans.__('Save as template…');
    case 'ports':
      return trans.__('Open port…');
    default:
      return actionLabel(action, cluster, titleOf);
  }
}

const ROW_ACTIONS: ReadonlySet<string> = new Set(Object.keys(COMMAND_OF));
export const isRowAction = (value: unknown): value is RowAction =>
  typeof value === 'string' && ROW_ACTIONS.has(value);
