/** What of this JupyterLab keeps kernels of clusters from working, a sentence each. Pure. */
import type { TranslationBundle } from '@jupyterlab/translation';

export interface Surroundings {
  /** JupyterLab's page configuration. */
  readonly option: (name: string) => string;
  /** Ids of the plugins that are there. */
  readonly plugins: readonly string[];
  /** Whether the managers in use are those of this package. */
  readonly routed: boolean;
}

const EXECUTOR = ':notebook-cell-executor';
/** It obeys the page's option. */
const OBEDIENT = '@jupyter/docprovider-extension:notebook-cell-executor';

/** Cells that the Jupyter server runs: it knows its own kernels only. */
function serverRunsCells({ option, plugins }: Surroundings): boolean {
  return (
    option('serverSideExecution') === 'true' ||
    plugins.some(id => id.endsWith(EXECUTOR) && id !== OBEDIENT && !id.startsWith('@jupyterlab/'))
  );
}

export function limitsOf(surroundings: Surroundings, trans: TranslationBundle): string[] {
  return [
    ...(serverRunsCells(surroundings)
      ? [
          trans.__(
            'This Jupyter server runs the cells itself (server-side execution, as jupyter-server-documents and jupyter-server-nbmodel do) and knows no kernel of a cluster: turn that off or use a console.',
          ),
        ]
      : []),
    ...(surroundings.routed
      ? []
      : [
          trans.__(
            'Another extension provides this JupyterLab’s kernels, so those of clusters are not among them: disable it and reload the page.',
          ),
        ]),
  ];
}
