import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { features, until } from './inside.ts';

export function templates(): void {
  describe('a template', () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'hitch-suite-template-'))));
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    it('has its mistakes marked when it is saved, and no more once they are mended', async () => {
      const { host } = await features();
      await host.connection.model.need();
      const { api } = host.connection.model.client;
      const shipped = (await api.templates.list()).find(({ id }) => id === 'numpy-classifier');
      assert.ok(shipped !== undefined);
      cpSync(shipped.folder, folder, { recursive: true });
      const uri = vscode.Uri.file(join(folder, 'hitch.yaml'));
      const document = await vscode.workspace.openTextDocument(uri);
      await vscode.window.showTextDocument(document);
      const replace = async (from: string, to: string): Promise<void> => {
        const start = document.positionAt(document.getText().indexOf(from));
        const edit = new vscode.WorkspaceEdit();
        edit.replace(uri, new vscode.Range(start, start.translate(0, from.length)), to);
        assert.ok(await vscode.workspace.applyEdit(edit));
        assert.ok(await document.save());
      };
      const said = (): readonly string[] =>
        vscode.languages.getDiagnostics(uri).map(({ message }) => message);

      await replace('parameters:', 'paramters:');
      await until('the mark', () => said().length === 1);
      const [mark] = vscode.languages.getDiagnostics(uri);
      assert.equal(mark?.message, 'There is no key “paramters” in a template. Did you mean “parameters”?');
      assert.equal(document.getText(mark.range), 'paramters');
      assert.equal(mark.source, 'Hitch');

      await replace('paramters:', 'parameters:');
      await until('no mark', () => said().length === 0);
    });
  });
}
