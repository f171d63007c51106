import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { isAlive } from '@hitch/client-node/src/discovery.ts';
import { daemon, features, practiceCluster, until } from './inside.ts';

export function terminals(): void {
  describe('a terminal on a cluster', () => {
    /** What a shell there wrote into its work folder. */
    const written = async (path: string): Promise<string> => {
      const { host } = await features();
      const { id: clusterId } = await practiceCluster();
      const { client } = host.connection.model;
      return until(`${path} is written`, async () => {
        const text = await client
          .raw(`/clusters/${clusterId}/raw-files?path=${path}`)
          .then(answer => answer.text())
          .catch(() => '');
        return text === '' ? null : text.trim();
      });
    };

    it('runs a shell there, and goes on with it when the daemon is killed', async () => {
      const { terminals: api } = await features();
      const cluster = await practiceCluster();
      await vscode.commands.executeCommand('hitch.cluster.terminal', `cluster:${cluster.id}`);
      const terminal = await until('it is in front', () => vscode.window.activeTerminal);
      assert.equal(terminal.name, 'llm-dev');
      terminal.sendText('kept=here; echo $$ > shell-1.txt');
      const pid = await written('shell-1.txt');
      const { pid: killed } = await daemon();
      process.kill(killed, 'SIGKILL');
      // What a dying process still takes is lost, as on every line without receipts; what comes after that waits.
      await until('it is gone', () => !isAlive(killed));
      terminal.sendText('echo $$ $kept > shell-2.txt');
      assert.equal(await written('shell-2.txt'), `${pid} here`);
      assert.deepEqual(api?.shown(), [{ clusterId: cluster.id, name: '1' }]);
    });

    it('is closed without ending its shell, and opened again with it', async () => {
      const { terminals: api } = await features();
      const cluster = await practiceCluster();
      const pid = await written('shell-1.txt');
      vscode.window.activeTerminal?.dispose();
      await until('it is closed', () => api?.shown().length === 0);
      const again = await api?.open(cluster.id);
      again?.sendText('echo $$ $kept > shell-3.txt');
      assert.equal(await written('shell-3.txt'), `${pid} here`);
      const other = await api?.open(cluster.id);
      assert.equal(other?.name, 'llm-dev 2');
      other?.sendText('exit');
      await until('it is closed with its shell', () => api?.shown().length === 1);
      again?.dispose();
    });
  });
}
