/** The file of what is usually rented: opened to be changed, its mistakes marked; and the way there from the status bar. */
import * as vscode from 'vscode';
import { editorLine } from '@hitch/contract/src/shown/places.ts';
import { isLive } from '../daemon/state.ts';
import { disposable, type Host, type Module } from './module.ts';
import { createStatusItem } from './screen.ts';

const PRIORITY = 49;

export function createPresetsModule(host: Host): Module<null> {
  const { commands, connection } = host;
  const { model } = connection;
  const marks = vscode.languages.createDiagnosticCollection('hitch-presets');
  /** Where the file is; null until somebody has opened it. */
  let file: string | null = null;

  const mark = async (): Promise<void> => {
    const list = await model.listPresets();
    file = list.file;
    marks.set(
      vscode.Uri.file(file),
      list.problems.map(({ line, column, sentence }) => {
        const at = new vscode.Position(line - 1, column - 1);
        return new vscode.Diagnostic(new vscode.Range(at, at), editorLine(sentence));
      }),
    );
  };
  const saved = ({ uri }: vscode.TextDocument): void => {
    if (uri.fsPath === file) {
      mark().catch((error: unknown) => commands.tell('hitch.rent.editPresets', error));
    }
  };
  return {
    api: null,
    disposables: [
      marks,
      commands.register('hitch.rent.editPresets', async () => {
        await model.need();
        const { file: path, text, problems } = await model.listPresets();
        if (problems.length === 0) {
          // It is made when somebody first wants to change it.
          await model.client.api.offers.keepPresets({ text });
        }
        await vscode.window.showTextDocument(vscode.Uri.file(path));
        await mark();
      }),
      vscode.workspace.onDidSaveTextDocument(saved),
      rentItem(host),
    ],
  };
}

/** While a notebook is in front and nothing runs: where what runs stands otherwise. */
function rentItem({ connection: { model }, settings }: Host): vscode.Disposable {
  const item = createStatusItem({
    id: 'hitch.rent',
    name: 'Hitch: rent a GPU',
    command: 'hitch.rent.quick',
    priority: PRIORITY,
  });
  item.set('Rent a GPU', 'chip', 'Hitch: rent a GPU for this notebook', false);
  item.setTooltip('What you usually rent, with what it costs now', []);
  const look = (): void => {
    const isNotebook = vscode.window.activeNotebookEditor?.notebook.notebookType === 'jupyter-notebook';
    const runs = (model.state.clusters ?? []).some(isLive);
    if (isNotebook && !runs && settings.get('hitch.statusBar.show')) {
      item.show();
    } else {
      item.hide();
    }
  };
  look();
  const listeners = [
    item,
    vscode.window.onDidChangeActiveNotebookEditor(look),
    disposable(model.onChange(look)),
    settings.onChange('hitch.statusBar.show', look),
  ];
  return vscode.Disposable.from(...listeners);
}
