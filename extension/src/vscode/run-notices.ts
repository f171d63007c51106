/** Says when cells on a cluster have ended that ran for long, to a person who does not look at them. */
import * as vscode from 'vscode';
import { type EndedRun, endedRunWords, LongRuns } from '@hitch/client';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { notebookName } from '../kernel/notebooks.ts';
import { sentence } from '../sentence.ts';
import { inform, warn } from './messages.ts';
import { disposable, type Host, type Module } from './module.ts';
import { clusterOfNotebook } from './notebook-cluster.ts';

const isSeen = (notebook: vscode.NotebookDocument): boolean =>
  vscode.window.state.focused && vscode.window.activeNotebookEditor?.notebook === notebook;

export function createRunNotices(host: Host): Module<object> {
  const { connection, settings, log } = host;

  const tell = async (run: EndedRun): Promise<void> => {
    const notebook = vscode.workspace.notebookDocuments.find(({ uri }) => uri.toString() === run.notebook);
    if (notebook === undefined || isSeen(notebook)) {
      return;
    }
    const cluster = await clusterOfNotebook(connection.model, notebook);
    if (cluster === null) {
      return;
    }
    const show = 'Show';
    const say = run.failed === 0 ? inform : warn;
    if ((await say(endedRunWords(run, notebookName(notebook.uri.path), cluster.name), show)) === show) {
      await vscode.window.showNotebookDocument(notebook);
    }
  };
  const runs = new LongRuns({
    atLeastMs: () => {
      const minutes = settings.get('hitch.notices.cellMinutes');
      return minutes === 0 ? null : minutes * 60_000;
    },
    tell: run => void tell(run).catch((error: unknown) => log.debug('An ended run', sentence(error))),
    later: (run, ms) => {
      const timer = systemClock.setTimer(run, ms);
      return () => timer.cancel();
    },
  });
  return {
    api: {},
    disposables: [
      disposable(() => runs.dispose()),
      vscode.workspace.onDidChangeNotebookDocument(({ notebook, cellChanges, contentChanges }) => {
        const key = notebook.uri.toString();
        contentChanges.forEach(({ removedCells }) => removedCells.forEach(cell => runs.left(key, cell)));
        for (const { cell, executionSummary } of cellChanges) {
          const { timing, success, executionOrder } = executionSummary ?? {};
          if (timing !== undefined) {
            runs.ended(key, cell, {
              beganMs: timing.startTime,
              endedMs: timing.endTime,
              ok: success ?? false,
            });
          } else if (executionOrder !== undefined) {
            // One whose output was cleared has no order.
            runs.began(key, cell);
          }
        }
      }),
    ],
  };
}
