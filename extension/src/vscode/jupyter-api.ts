/**
 * Jupyter's API as it is, with the two fields that its published types leave out. They are read for every caller and are
 * the only way a kernel survives a changed token (reference: `api.proposed.jupyterSettings`); a test in the extension
 * host says so should that end.
 */
import * as vscode from 'vscode';
import type { Jupyter, JupyterServerConnectionInformation } from '@vscode/jupyter-extension';
import type { KernelSocketClass } from '@hitch/contract';
import type { KernelFetch } from '../kernel/fetch.ts';

export const JUPYTER_ID = 'ms-toolsai.jupyter';

export interface ConnectionInformation extends JupyterServerConnectionInformation {
  readonly fetch: KernelFetch;
  readonly WebSocket: KernelSocketClass;
}

export type JupyterAccess =
  | { readonly api: Jupyter }
  /** One sentence for the person. */
  | { readonly missing: string };

const isJupyter = (value: unknown): value is Jupyter =>
  typeof value === 'object' &&
  value !== null &&
  'createJupyterServerCollection' in value &&
  typeof value.createJupyterServerCollection === 'function';

/** Windows whose notebooks run elsewhere: Jupyter is over there, this extension on the laptop. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'ssh-remote': 'over SSH',
  wsl: 'in WSL',
  'dev-container': 'in a dev container',
  'attached-container': 'in a container',
  codespaces: 'in a codespace',
};

/** Why Jupyter is not to be had in this window. */
function why(): string {
  const { remoteName } = vscode.env;
  const elsewhere = remoteName === undefined ? undefined : ELSEWHERE[remoteName];
  return elsewhere === undefined
    ? 'Notebooks need the Jupyter extension: install “Jupyter” by Microsoft, then reload this window.'
    : `This window works ${elsewhere}, where its notebooks run: to run one on a cluster, open it in a local window.`;
}

/** Waits for Jupyter to be active: its API is there only then. */
export async function accessJupyter(): Promise<JupyterAccess> {
  const extension = vscode.extensions.getExtension<unknown>(JUPYTER_ID);
  if (extension === undefined) {
    return { missing: why() };
  }
  const exported = await extension.activate();
  return isJupyter(exported)
    ? { api: exported }
    : {
        missing:
          'The Jupyter extension is too old to take kernels from others: update it, then reload this window.',
      };
}
