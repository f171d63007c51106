/**
 * A click on an address of the machine itself, as `http://localhost:6006`, in the output of a cluster's kernel: what is meant is that
 * machine's port, and not this computer's.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { depsOf } from '../actions/deps.ts';
import { clusterOfKernel } from '../run-on/targets.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import { printedLink } from './links.ts';

export const portsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:ports',
  description: 'Opens ports of GPU clusters whose addresses stand in outputs.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [INotebookTracker, IConsoleTracker, ITranslator],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    translator: ITranslator | null,
  ) => {
    const deps = depsOf(app, hitch, preferences, translator);
    const clusterAround = (element: Element): string | null => {
      const panel =
        notebooks?.find(({ node }) => node.contains(element)) ??
        consoles?.find(({ node }) => node.contains(element));
      return clusterOfKernel(panel?.sessionContext.session?.kernel?.name);
    };
    document.addEventListener(
      'click',
      event => {
        const printed = printedLink(event.target);
        const name = printed === null ? null : clusterAround(printed.link);
        const cluster = hitch.clusters.find(each => each.name === name);
        if (printed !== null && cluster !== undefined) {
          const { link, address } = printed;
          event.preventDefault();
          event.stopPropagation();
          void import('./open.ts').then(({ offerPort }) => offerPort(deps, cluster, address, link.href));
        }
      },
      { capture: true },
    );
  },
};
