/** Cells of clusters beside an extension with which the Jupyter server runs cells. */
import assert from 'node:assert/strict';
import type { INotebookCellExecutor } from '@jupyterlab/notebook';
import { runOwnCells } from '../src/kernels/own-cells.ts';

type Options = INotebookCellExecutor.IRunCellOptions;

describe('cells where the Jupyter server runs the cells of its kernels', () => {
  const context = (kernel: string | null, preferred?: string) =>
    ({
      sessionContext: {
        session: kernel === null ? null : { kernel: { name: kernel } },
        kernelPreference: { name: preferred },
      },
    }) as unknown as Options;

  /** Of a class, as one of the extensions has it: what is changed is the object and not the class. */
  class OnServer {
    readonly ran: string[] = [];
    runCell(): Promise<boolean> {
      this.ran.push('server');
      return Promise.resolve(true);
    }
  }

  it('are run by the page for a cluster’s kernel, and by the server for its own', async () => {
    const executor = new OnServer();
    const { ran } = executor;
    const inPage = () => Promise.resolve(ran.push('page') > 0);
    const other = new OnServer();
    assert.equal(runOwnCells(executor, inPage), true);
    const asJupyterLabSeesIt: INotebookCellExecutor = executor;
    await asJupyterLabSeesIt.runCell(context('hitch-llm-dev--python3'));
    await asJupyterLabSeesIt.runCell(context('python3', 'hitch-llm-dev--python3'));
    // Its cluster is away: the page asks what to do.
    await asJupyterLabSeesIt.runCell(context(null, 'hitch-llm-dev--python3'));
    await asJupyterLabSeesIt.runCell(context(null));
    assert.deepEqual(ran, ['page', 'server', 'page', 'server']);
    await other.runCell();
    assert.deepEqual(other.ran, ['server']);
  });

  it('cannot be told apart where the executor is not to be changed, or is not there', () => {
    const runCell = () => Promise.resolve(true);
    assert.equal(runOwnCells(Object.freeze({ runCell }), runCell), false);
    assert.equal(runOwnCells(null, runCell), false);
  });
});
