import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { features, practiceCluster, until } from './inside.ts';

const code = (error: unknown): string =>
  error instanceof vscode.FileSystemError ? error.code : String(error);

export function files(): void {
  describe('the files of a cluster', () => {
    const { fs } = vscode.workspace;
    let root: vscode.Uri;
    let here = '';

    before(async () => {
      const { files: api } = await features();
      assert.ok(api !== null);
      root = api.uriOf(await practiceCluster(), '');
      here = mkdtempSync(join(tmpdir(), 'hitch-files-'));
    });

    after(() => rmSync(here, { recursive: true, force: true }));

    const at = (path: string): vscode.Uri => vscode.Uri.joinPath(root, path);
    const text = async (path: string): Promise<string> => Buffer.from(await fs.readFile(at(path))).toString();
    const refusal = (run: Thenable<unknown>): Promise<string> =>
      Promise.resolve(run).then(
        () => 'none',
        (error: unknown) => code(error),
      );

    it('are an editor’s files: made, read, listed, renamed and removed', async () => {
      await fs.createDirectory(at('ed'));
      await fs.writeFile(at('ed/a.txt'), Buffer.from('one'));
      await fs.writeFile(at('ed/empty.txt'), new Uint8Array());
      assert.equal(await text('ed/a.txt'), 'one');
      const stat = await fs.stat(at('ed/a.txt'));
      assert.deepEqual([stat.type, stat.size], [vscode.FileType.File, 3]);
      await fs.rename(at('ed/a.txt'), at('ed/b.txt'));
      await fs.writeFile(at('ed/a.txt'), Buffer.from('two'));
      assert.match(await refusal(fs.rename(at('ed/a.txt'), at('ed/b.txt'))), /FileExists/);
      await fs.rename(at('ed/a.txt'), at('ed/b.txt'), { overwrite: true });
      assert.equal(await text('ed/b.txt'), 'two');
      const names = (await fs.readDirectory(at('ed'))).map(([name]) => name).sort();
      assert.deepEqual(names, ['b.txt', 'empty.txt']);
      assert.match(await refusal(fs.delete(at('ed'))), /NoPermissions|Unavailable/);
      await fs.delete(at('ed'), { recursive: true });
      assert.match(await refusal(fs.stat(at('ed'))), /FileNotFound/);
    });

    it('are saved from an editor, and another’s change is seen', async () => {
      const { host, files: api } = await features();
      const cluster = await practiceCluster();
      await fs.writeFile(at('notes.md'), Buffer.from('first\n'));
      const document = await vscode.workspace.openTextDocument(at('notes.md'));
      const editor = await vscode.window.showTextDocument(document);
      await editor.edit(edit => edit.insert(new vscode.Position(1, 0), 'second\n'));
      await document.save();
      await until('it is saved', async () => (await text('notes.md')) === 'first\nsecond\n');
      // As a kernel or a terminal there would.
      const bytes = Buffer.from('third, from elsewhere\n');
      await host.connection.model.client.upload(cluster.id, 'notes.md', {
        sizeBytes: bytes.length,
        read: async () => new Uint8Array(bytes),
      });
      assert.ok(api !== null);
      await fs.readDirectory(root);
      await until('the editor shows it', () => document.getText().includes('third'), 120_000);
    });

    it('stand below their cluster, and one opens from there', async () => {
      const { clusters } = await features();
      const cluster = await practiceCluster();
      const top = `below:${cluster.id}:files:`;
      const row = await until('its row', () =>
        clusters?.tree.getChildren(top).find(id => id.endsWith(':file:notes.md')),
      );
      assert.equal(clusters?.tree.getTreeItem(row).label, 'notes.md');
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
      await vscode.commands.executeCommand('hitch.files.openFile', row);
      await until(
        'it is open',
        () => vscode.window.activeTextEditor?.document.uri.toString() === at('notes.md').toString(),
      );
    });

    it('are sent and fetched, folders too, and again without a question', async () => {
      const { files: api } = await features();
      const cluster = await practiceCluster();
      mkdirSync(join(here, 'data', 'deep'), { recursive: true });
      const big = Buffer.alloc(9_000_000, 'hitch');
      writeFileSync(join(here, 'data', 'big.bin'), big);
      writeFileSync(join(here, 'data', 'deep', 'x.csv'), 'a,b\n1,2\n');
      assert.equal(await api?.send(cluster, [join(here, 'data')], 'sent'), true);
      assert.equal(await text('sent/data/deep/x.csv'), 'a,b\n1,2\n');
      // What is there already, the same, is in nobody's way: nothing is asked.
      assert.equal(await api?.send(cluster, [join(here, 'data')], 'sent'), true);
      const back = join(here, 'back');
      mkdirSync(back);
      assert.equal(await api?.fetch(cluster, ['sent/data', 'notes.md'], back), true);
      assert.ok(readFileSync(join(back, 'data', 'big.bin')).equals(big));
      assert.match(readFileSync(join(back, 'notes.md'), 'utf8'), /third/);
    });

    it('are seen where they were sent to, in folders that were looked at', async () => {
      const { files: api } = await features();
      const cluster = await practiceCluster();
      await fs.createDirectory(at('seen'));
      await fs.readDirectory(at('seen'));
      const watcher = vscode.workspace.createFileSystemWatcher(
        new vscode.RelativePattern(at('seen'), '**/*'),
      );
      const created: string[] = [];
      watcher.onDidCreate(({ path }) => created.push(path));
      writeFileSync(join(here, 'new.csv'), 'a\n');
      assert.equal(await api?.send(cluster, [join(here, 'new.csv')], 'seen'), true);
      await until('the editor is told', () => created.includes('/seen/new.csv'), 120_000);
      watcher.dispose();
    });

    it('are said to be gone with a cluster that nobody knows', async () => {
      const foreign = vscode.Uri.parse('hitch://clu_00000000000000000000000000/x.txt');
      assert.match(await refusal(fs.readFile(foreign)), /Unavailable/);
    });
  });
}
