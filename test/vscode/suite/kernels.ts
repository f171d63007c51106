import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import {
  daemon,
  delay,
  features,
  openNotebook,
  practiceCluster,
  result,
  runCell,
  standIn,
  until,
} from './inside.ts';

const OUTAGE_MS = 15_000;
/** `count` numbered lines, one each `pause` seconds. */
const ticking = (count: number, pause: number): string =>
  `import time\nfor i in range(${count.toString()}):\n    print("line", i, flush=True)\n    time.sleep(${pause.toString()})`;
const lines = (count: number): string =>
  Array.from({ length: count }, (_, index) => `line ${index.toString()}\n`).join('');

export function kernels(): void {
  describe('a kernel on a cluster', () => {
    let notebook: vscode.NotebookDocument;
    let pid = '';

    before(async () => {
      await practiceCluster();
      notebook = await openNotebook();
    });

    const keepsItsKernel = async (): Promise<void> => {
      assert.equal((await result(notebook, 'import os; print(os.getpid(), x)')).trim(), `${pid} 41`);
      const jupyter = await standIn();
      const kernel = await jupyter.kernelOf(notebook);
      assert.equal(kernel?.closes, 0, 'no drop was seen from outside');
      assert.equal(jupyter.counts.disposed, 0);
    };

    it('is given to the open notebook by one command, without a question', async () => {
      const cluster = await practiceCluster();
      assert.equal(
        await vscode.commands.executeCommand('hitch.cluster.runOn', `cluster:${cluster.id}`),
        true,
      );
      assert.equal((await result(notebook, 'x = 41; print(x + 1)')).trim(), '42');
      pid = (await result(notebook, 'import os; print(os.getpid())')).trim();
      assert.match(pid, /^\d+$/);
    });

    it('keeps its variables when the daemon is killed and another starts, with every line of a running cell', async () => {
      const before = await daemon();
      const cell = await runCell(notebook, ticking(20, 0.25));
      await until('it prints', () => cell.text().includes('line 2'));
      process.kill(before.pid, 'SIGKILL');
      assert.equal(await cell.over, lines(20));
      const after = await daemon();
      assert.notEqual(after.pid, before.pid);
      assert.notEqual(after.token, before.token, 'the token was rotated by the start');
      await keepsItsKernel();
    });

    it('is not taken off the list while no daemon is there to ask', async () => {
      const jupyter = await standIn();
      const cluster = await practiceCluster();
      const [collection] = jupyter.collections;
      const { pid: running } = await daemon();
      process.kill(running, 'SIGKILL');
      const token = new vscode.CancellationTokenSource().token;
      const list = (await collection?.serverProvider.provideJupyterServers(token)) ?? [];
      assert.deepEqual(
        list.map(({ id }) => id),
        [cluster.id],
      );
      await keepsItsKernel();
    });

    it('keeps everything over an outage of fifteen seconds in which its cell ends', async () => {
      const { pid: running } = await daemon();
      const cell = await runCell(notebook, ticking(10, 0.5));
      await until('it prints', () => cell.text().includes('line 1'));
      process.kill(running, 'SIGSTOP');
      try {
        await delay(OUTAGE_MS);
      } finally {
        process.kill(running, 'SIGCONT');
      }
      assert.equal(await cell.over, lines(10));
      await keepsItsKernel();
    });

    it('is listed below its cluster, by its notebook', async () => {
      const { clusters } = await features();
      const cluster = await practiceCluster();
      const rows = await until('its row', () => {
        const below = clusters?.tree.getChildren(`cluster:${cluster.id}`) ?? [];
        return below.some(id => id.startsWith('kernel:')) ? below : null;
      });
      const row = rows.find(id => id.startsWith('kernel:')) ?? '';
      const label = clusters?.tree.getTreeItem(row).label;
      assert.doesNotMatch(typeof label === 'string' ? label : 'jvsc', /jvsc/);
    });

    it('can be rented from the kernel picker, which asks no network for its items', async () => {
      const jupyter = await standIn();
      const [collection] = jupyter.collections;
      const token = new vscode.CancellationTokenSource().token;
      const offered = await collection?.commandProvider?.provideCommands('', token);
      assert.deepEqual(
        offered?.map(({ label }) => label),
        ['Rent GPUs…'],
      );
    });
  });
}
