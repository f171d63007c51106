/** What a person does about templates: open the page with their forms, and add a folder that they lie in. */
import * as vscode from 'vscode';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { TEMPLATE_FILE } from '@hitch/contract/src/templates/schema.ts';
import { MOST_FOLDERS } from '../daemon/model.ts';
import { canRun } from '../daemon/state.ts';
import type { Host, Module } from './module.ts';
import type { PagesApi } from './pages.ts';
import { fittingCluster } from './which-cluster.ts';

const FOLDERS = 'hitch.templates.folders';

const notHere = ({ path, scheme }: vscode.Uri): HitchError =>
  new HitchError('BAD_INPUT', `${path} is not on this computer (${scheme}).`, {
    next: 'Choose a folder of this computer.',
  });

export function createTemplatesModule(
  { commands, connection, settings }: Host,
  { pages }: { readonly pages: PagesApi | null },
): Module<object> {
  const { model } = connection;

  const list = async (): Promise<void> => {
    if (model.state.connection === 'live') {
      await model.listTemplates();
    }
  };

  const addFolder = async (): Promise<void> => {
    const chosen = await vscode.window.showOpenDialog({
      title: 'A Template’s Folder, or One That Templates Lie In',
      openLabel: 'Add',
      canSelectFiles: false,
      canSelectFolders: true,
    });
    const [folder] = chosen ?? [];
    if (folder === undefined) {
      return;
    }
    if (folder.scheme !== 'file') {
      throw notHere(folder);
    }
    const folders = [...new Set([...settings.get(FOLDERS), folder.fsPath])];
    const inWorkspace = vscode.workspace.workspaceFolders?.length ?? 0;
    if (folders.length + inWorkspace > MOST_FOLDERS) {
      throw new HitchError(
        'BAD_INPUT',
        `Templates are looked for in ${MOST_FOLDERS.toString()} folders at most.`,
        {
          next: `Remove one from the setting ${FOLDERS}, or move its templates into another.`,
        },
      );
    }
    await vscode.workspace.getConfiguration().update(FOLDERS, folders, vscode.ConfigurationTarget.Global);
    await model.need();
    await list();
  };

  const saveAsTemplate = async (argument: unknown): Promise<void> => {
    const cluster = await fittingCluster(
      model,
      argument,
      'Save as Template',
      canRun,
      ({ name }) => `${name} is not running.`,
    );
    if (cluster === null) {
      return;
    }
    const [open] = vscode.workspace.workspaceFolders ?? [];
    const to = await vscode.window.showSaveDialog({
      title: 'A New Folder for the Template',
      saveLabel: 'Write',
      ...(open?.uri.scheme === 'file' ? { defaultUri: vscode.Uri.joinPath(open.uri, cluster.name) } : {}),
    });
    if (to === undefined) {
      return;
    }
    if (to.scheme !== 'file') {
      throw notHere(to);
    }
    const { folder } = await model.client.api.templates.draft({
      clusterId: cluster.id,
      folder: to.fsPath,
    });
    // What is still to be done is marked in it.
    await vscode.window.showTextDocument(vscode.Uri.joinPath(vscode.Uri.file(folder), TEMPLATE_FILE));
  };

  return {
    api: {},
    disposables: [
      settings.onChange(FOLDERS, () => void list().catch(() => undefined)),
      commands.register('hitch.templates.open', () => pages?.showTemplates(null)),
      commands.register('hitch.templates.addFolder', addFolder),
      commands.register('hitch.cluster.template', saveAsTemplate),
      commands.register('hitch.rent.fromTemplate', rowId =>
        pages?.showTemplates(typeof rowId === 'string' ? rowId.replace(/^template:/, '') : null),
      ),
    ],
  };
}
