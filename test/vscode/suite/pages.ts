import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { features, practiceCluster, until } from './inside.ts';

const tabs = (): string[] =>
  vscode.window.tabGroups.all
    .flatMap(({ tabs: open }) => open)
    .flatMap(({ input, label }) => (input instanceof vscode.TabInputWebview ? [label] : []));

export function pages(): void {
  describe('the page', () => {
    after(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

    it('shows the offer table, once', async () => {
      const { pages: api } = await features();
      await vscode.commands.executeCommand('hitch.offers.table');
      await vscode.commands.executeCommand('hitch.offers.table');
      await until('its tab', () => tabs().includes('Offers'));
      assert.deepEqual(
        api?.places().map(({ view }) => view),
        ['offers'],
      );
    });

    it('shows what happened to a cluster, and is closed', async () => {
      const { pages: api } = await features();
      const cluster = await practiceCluster();
      await vscode.commands.executeCommand('hitch.cluster.timeline', `cluster:${cluster.id}`);
      await until('its tab', () => tabs().includes('llm-dev'));
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
      await until('nothing is left', () => api?.places().length === 0);
    });
  });
}
