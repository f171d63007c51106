import assert from 'node:assert/strict';
import type { Cluster } from '@hitch/contract';
import * as vscode from 'vscode';
import {
  clusterNow,
  daemon,
  delay,
  EXTENSION_ID,
  features,
  openNotebook,
  practiceCluster,
  rentPractice,
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

    after(async () => assert.deepEqual((await standIn()).misuses, []));

    const keepsItsKernel = async (): Promise<void> => {
      assert.equal((await result(notebook, 'import os; print(os.getpid(), x)')).trim(), `${pid} 41`);
      const jupyter = await standIn();
      const kernel = await jupyter.kernelOf(notebook);
      assert.equal(kernel?.closes, 0, 'no drop was seen from outside');
      assert.equal(jupyter.counts.disposed, 0);
    };

    it('is given to the open notebook by one command, without a question', async () => {
      const jupyter = await standIn();
      const cluster = await practiceCluster();
      assert.equal(await runOn(cluster), true);
      assert.equal(jupyter.serverOf(notebook), cluster.id);
      assert.deepEqual(
        jupyter.asked.map(({ ended }) => ended),
        ['closed'],
        'Jupyter’s own list, which it needs to know the server, was closed for the person',
      );
      assert.equal((await result(notebook, 'x = 41; print(x + 1)')).trim(), '42');
      pid = (await result(notebook, 'import os; print(os.getpid())')).trim();
      assert.match(pid, /^\d+$/);
    });

    it('is given to a second notebook beside kernels that run already, and none of Jupyter’s lists shows', async () => {
      const jupyter = await standIn();
      const cluster = await practiceCluster();
      const before = jupyter.asked.length;
      const other = await openNotebook();
      assert.equal(await runOn(cluster), true);
      assert.equal(jupyter.serverOf(other), cluster.id);
      assert.equal(jupyter.asked.length, before);
      assert.notEqual(
        (await result(other, 'import os; print(os.getpid())')).trim(),
        pid,
        'a kernel of its own',
      );
      await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
      await vscode.window.showNotebookDocument(notebook);
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
      const { pid: running } = await daemon();
      process.kill(running, 'SIGKILL');
      const token = new vscode.CancellationTokenSource().token;
      const lists = await Promise.all(
        jupyter.collections().map(async ({ serverProvider }) => serverProvider.provideJupyterServers(token)),
      );
      assert.deepEqual(
        lists.flatMap(list => list ?? []).map(({ id }) => id),
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
      const token = new vscode.CancellationTokenSource().token;
      const { presets } = (await features()).host.connection.model.state;
      assert.ok(presets.length > 1);
      const offered = await Promise.all(
        jupyter.collections().map(async ({ commandProvider }) => commandProvider?.provideCommands('', token)),
      );
      assert.deepEqual(
        offered.flatMap(list => list ?? []).map(({ label, canBeAutoSelected }) => [label, canBeAutoSelected]),
        [['Rent GPUs…', true], ...presets.map(({ label }) => [`Rent: ${label}`, undefined])],
      );
    });

    it('is not asked of Jupyter in a way that the real one would ignore', async () => {
      const jupyter = await standIn();
      const cluster = await practiceCluster();
      const [collection] = jupyter.collections();
      assert.deepEqual(jupyter.misuses, []);
      await assert.rejects(
        async () =>
          vscode.commands.executeCommand(
            'jupyter.kernel.selectJupyterServerKernel',
            EXTENSION_ID,
            collection?.id,
            cluster.id,
          ),
        /would ignore/,
      );
      jupyter.misuses.length = 0;
    });

    it('is the named one’s where three clusters run, and one that the person chooses where none is named', async () => {
      const jupyter = await standIn();
      const first = await practiceCluster();
      const [second, third] = await Promise.all([
        rentPractice('vision', 16_000),
        rentPractice('speech', 32_000),
      ]);
      assert.deepEqual(
        jupyter
          .collections()
          .map(({ label }) => label.replace(/,.*/, ''))
          .sort(),
        ['Hitch: Rent GPUs…', 'Hitch: llm-dev', 'Hitch: speech', 'Hitch: vision'],
      );
      const other = await openNotebook();
      for (const cluster of [second, third, first]) {
        assert.equal(await runOn(cluster), true);
        assert.equal(jupyter.serverOf(other), cluster.id);
      }
      const before = jupyter.asked.length;
      const choosing = runOn(null);
      let isOver = false;
      void choosing.then(() => (isOver = true));
      await until('the first of the clusters is taken', async () => {
        await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
        return isOver;
      });
      assert.equal(await choosing, true);
      // The newest stand first in the list.
      const newestMs = Math.max(second.createdAtMs, third.createdAtMs);
      const newest = [second, third].filter(({ createdAtMs }) => createdAtMs === newestMs);
      await until('the notebook is on the one that was taken', () =>
        newest.some(({ id }) => jupyter.serverOf(other) === id),
      );
      assert.equal(jupyter.asked.length, before, 'Jupyter’s own list asked nobody');
      await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
      await Promise.all([second, third].map(end));
      await until('what is gone is in no picker', () => jupyter.collections().length === 2);
    });
  });
}

const runOn = async (cluster: Cluster | null): Promise<unknown> =>
  vscode.commands.executeCommand(
    'hitch.cluster.runOn',
    ...(cluster === null ? [] : [`cluster:${cluster.id}`]),
  );

/** Stops it and takes it off the list: the other suites have one cluster. */
async function end({ id, name }: Cluster): Promise<void> {
  const { host } = await features();
  const { model } = host.connection;
  await model.client.api.clusters.stop({ clusterId: id, skipSave: true });
  await until(`${name} is gone`, async () => (await clusterNow(id)).conditions.cleanup.status === 'yes');
  await model.client.api.clusters.remove({ clusterId: id });
  await until(`${name} is off the list`, async () => {
    await model.refresh();
    return model.state.clusters?.every(known => known.id !== id);
  });
}
