/** Hitch in JupyterLab: each part is a plugin of its own, which can be disabled alone. */
import { cellsPlugin } from './cells/plugin.ts';
import { clusterTabPlugin } from './cluster-tab/plugin.ts';
import { clusters } from './clusters/plugin.ts';
import { files } from './files/plugin.ts';
import { jobsPlugin } from './jobs/plugin.ts';
import { managers, notebooks } from './kernels/plugin.ts';
import { helpPlugin } from './help/plugin.ts';
import { launcherPlugin } from './launcher/plugin.ts';
import { networksPlugin } from './networks/plugin.ts';
import { newClusterPlugin } from './new-cluster/plugin.ts';
import { noticesPlugin } from './notices/plugin.ts';
import { outputsPlugin } from './outputs/plugin.ts';
import { panelPlugin } from './panel/plugin.ts';
import { portsPlugin } from './ports/plugin.ts';
import { quickPlugin } from './quick/plugin.ts';
import { runOnPlugin } from './run-on/plugin.ts';
import { runningPlugin } from './running/plugin.ts';
import { settingsPlugin } from './settings/plugin.ts';
import { statusPlugin } from './status/plugin.ts';
import { templateMarksPlugin } from './templates/marks-plugin.ts';
import { templatesPlugin } from './templates/plugin.ts';
import { terminals } from './terminals/plugin.ts';
import { usePlugin } from './use/plugin.ts';
import { waitingPlugin } from './waiting/plugin.ts';

export default [
  clusters,
  ...managers,
  ...notebooks,
  outputsPlugin,
  cellsPlugin,
  settingsPlugin,
  quickPlugin,
  runOnPlugin,
  usePlugin,
  panelPlugin,
  newClusterPlugin,
  templatesPlugin,
  templateMarksPlugin,
  networksPlugin,
  clusterTabPlugin,
  jobsPlugin,
  statusPlugin,
  runningPlugin,
  launcherPlugin,
  noticesPlugin,
  waitingPlugin,
  helpPlugin,
  files,
  terminals,
  portsPlugin,
];
