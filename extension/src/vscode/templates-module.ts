/** What a person does about templates: open the page with their forms, and add a folder that they lie in. */
import * as vscode from 'vscode';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { MOST_FOLDERS } from '../daemon/model.ts';
import type { Host, Module } from './module.ts';
import type { PagesApi } from './pages.ts';

const FOLDERS = 'hitch.templates.folders';

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
      throw new HitchError('BAD_INPUT', `${folder.path} is not on this computer (${folder.scheme}).`, {
        next: 'Choose a folder of this computer.',
      });
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

  return {
    api: {},
    disposables: [
      settings.onChange(FOLDERS, () => void list().catch(() => undefined)),
      commands.register('hitch.templates.open', () => pages?.showTemplates(null)),
      commands.register('hitch.templates.addFolder', addFolder),
      commands.register('hitch.rent.fromTemplate', rowId =>
        pages?.showTemplates(typeof rowId === 'string' ? rowId.replace(/^template:/, '') : null),
      ),
    ],
  };
}
