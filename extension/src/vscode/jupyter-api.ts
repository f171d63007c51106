/**
 * Jupyter's API as it is, with the two fields that its published types leave out. They are read for every caller and are
 * the only way a kernel survives a changed token (reference: `api.proposed.jupyterSettings`); a test in the extension
 * host says so should that end.
 */
import * as vscode from 'vscode';
import type { Jupyter, JupyterServerConnectionInformation } from '@vscode/jupyter-extension';
import type { KernelSocketClass } from '@hitch/contract';
import type { KernelFetch } from '../kernel/fetch.ts';
import { TOO_OLD, whyNoJupyter } from '../kernel/jupyter-words.ts';

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

/** Waits for Jupyter to be active: its API is there only then. */
export async function accessJupyter(): Promise<JupyterAccess> {
  const extension = vscode.extensions.getExtension<unknown>(JUPYTER_ID);
  if (extension === undefined) {
    return { missing: whyNoJupyter(vscode.env.remoteName) };
  }
  const exported = await extension.activate();
  return isJupyter(exported) ? { api: exported } : { missing: TOO_OLD };
}
