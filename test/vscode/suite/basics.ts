import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { COMMANDS } from '../../../extension/src/declared/commands.ts';
import { daemon, exported, features, shownDocument, until } from './inside.ts';

export function basics(): void {
  describe('the extension', () => {
    it('activates, every feature with it', async () => {
      const { features: started, activationMs } = await exported();
      console.log(`measured: activate() took ${activationMs.toFixed(1)} ms in the extension host`);
      assert.ok(started.clusters !== null && started.kernel !== null && started.reports !== null);
    });

    it('has every command that it declares', async () => {
      await exported();
      const known = new Set(await vscode.commands.getCommands(true));
      assert.deepEqual(
        Object.keys(COMMANDS).filter(id => !known.has(id)),
        [],
      );
    });

    it('starts the daemon it brings when somebody asks for it', async () => {
      const { host } = await features();
      await vscode.commands.executeCommand('hitch.daemon.start');
      await until('the model is live', () => host.connection.model.state.connection === 'live');
      assert.ok((await daemon()).pid > 0);
    });

    it('has another daemon when that one dies, although no cluster lives', async () => {
      const { host } = await features();
      const { pid } = await daemon();
      process.kill(pid, 'SIGKILL');
      await until('another daemon runs', async () => (await daemon()).pid !== pid);
      await until('the model is live', () => host.connection.model.state.connection === 'live');
    });

    it('shows what the doctor says as a document', async () => {
      await vscode.commands.executeCommand('hitch.doctor.run');
      await shownDocument(/✓ node: Node/);
    });

    it('shows the report of a problem before anybody keeps it', async () => {
      // Its message waits for a person.
      void vscode.commands.executeCommand('hitch.support.report');
      await shownDocument(/"doctor": \[/);
    });

    it('shows the documentation that it brings', async () => {
      await vscode.commands.executeCommand('hitch.docs.open');
      await until('its first page is shown', () =>
        vscode.window.tabGroups.all.some(({ tabs }) => tabs.some(({ label }) => /index\.md/.test(label))),
      );
      const { host } = await features();
      const folder = vscode.Uri.joinPath(host.context.extensionUri, 'docs');
      for (const page of ['start/vscode.md', 'reference/commands.md', 'pictures/vscode-run-on.png']) {
        assert.ok((await vscode.workspace.fs.stat(vscode.Uri.joinPath(folder, page))).size > 0, page);
      }
    });
  });
}
