import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { features, practiceCluster, shownDocument, until } from './inside.ts';

export function views(): void {
  describe('the views', () => {
    it('show a practice cluster with its row, machine, badge word and status bar', async () => {
      const { clusters, statusBar } = await features();
      const cluster = await practiceCluster();
      assert.ok(clusters !== null && statusBar !== null);
      const { tree } = clusters;
      await until('its row', () => tree.getChildren().includes(`cluster:${cluster.id}`));
      const item = tree.getTreeItem(`cluster:${cluster.id}`);
      assert.equal(item.label, 'llm-dev (practice)');
      assert.match(String(item.contextValue), /^cluster;(starting|ready);.*runOn/);
      assert.equal(item.id, `cluster:${cluster.id}`);
      assert.match(item.accessibilityInformation?.label ?? '', /^Cluster llm-dev/);
      const machine = tree.getChildren(`cluster:${cluster.id}`).find(id => id.startsWith('node:'));
      assert.match(String(machine), /^node:/);
      assert.match(statusBar.text() ?? '', /Practice, 1 node/);
      assert.equal(tree.getTreeItem(`cluster:${cluster.id}`), item, 'items are kept by identity');
      const resolved = tree.resolveTreeItem(item, `cluster:${cluster.id}`);
      assert.match(typeof resolved.tooltip === 'string' ? resolved.tooltip : '', /llm-dev/);
    });

    it('show logs as a document', async () => {
      const cluster = await practiceCluster();
      await vscode.commands.executeCommand('hitch.cluster.logs', cluster.id);
      await shownDocument(/──── jupyter ────/);
    });
  });
}
