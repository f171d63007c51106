/** What of this JupyterLab keeps kernels of clusters from working, a sentence each. Pure. */
import type { TranslationBundle } from '@jupyterlab/translation';

export interface Page {
  /** JupyterLab's page configuration. */
  readonly option: (name: string) => string;
  /** Ids of the plugins that are there. */
  readonly plugins: readonly string[];
}

export interface Surroundings {
  /** Whether the page itself runs the cells of clusters. */
  readonly runsCells: boolean;
  /** Whether the managers in use are those of this package. */
  readonly routed: boolean;
}

const EXECUTOR = ':notebook-cell-executor';
/** It obeys the page's option. */
const OBEDIENT = '@jupyter/docprovider-extension:notebook-cell-executor';

/** Cells that the Jupyter server runs: it knows its own kernels only. */
export function serverRunsCells({ option, plugins }: Page): boolean {
  return (
    option('serverSideExecution') === 'true' ||
    plugins.some(id => id.endsWith(EXECUTOR) && id !== OBEDIENT && !id.startsWith('@jupyterlab/'))
  );
}

export function limitsOf({ runsCells, routed }: Surroundings, trans: TranslationBundle): string[] {
  return [
    ...(runsCells
      ? []
      : [
          trans.__(
            'This Jupyter server runs the cells itself and cannot use a cluster: turn server-side execution off, or use a console.',
          ),
        ]),
    ...(routed
      ? []
      : [
          trans.__(
            'Another extension provides this JupyterLab’s kernels, so kernels on clusters are missing: disable it and reload the page.',
          ),
        ]),
  ];
}
