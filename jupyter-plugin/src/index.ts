/** Hitch in JupyterLab: each part is a plugin of its own, which can be disabled alone. */
import { clusters } from './clusters/plugin.ts';

export default [clusters];
