/** Hitch in JupyterLab: each part is a plugin of its own, which can be disabled alone. */
import { clusters } from './clusters/plugin.ts';
import { files } from './files/plugin.ts';
import { managers, notebooks } from './kernels/plugin.ts';
import { terminals } from './terminals/plugin.ts';

export default [clusters, ...managers, ...notebooks, files, terminals];
