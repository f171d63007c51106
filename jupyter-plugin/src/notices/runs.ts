/** Says when cells on a cluster have ended that ran for long, to a person who does not look at them. */
import { type EndedRun, endedRunWords, LongRuns } from '@hitch/client';
import { type INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { Deps } from '../actions/deps.ts';
import { said, warned } from '../actions/report.ts';
import { clusterOfKernel } from '../run-on/targets.ts';
import { desktopStep, tellOnDesktop } from '../ui/desktop.ts';

const isSeen = (panel: NotebookPanel): boolean => panel.isVisible && document.hasFocus();

export function startRunNotices(deps: Deps, notebooks: INotebookTracker): void {
  const { commands, trans, preferences, now } = deps;
  /** When cells that run began. */
  const began = new WeakMap<object, number>();
  const panelOf = (notebook: string): NotebookPanel | undefined =>
    notebooks.find(({ id }) => id === notebook);

  const tell = (run: EndedRun): void => {
    const panel = panelOf(run.notebook);
    const cluster = clusterOfKernel(panel?.sessionContext.session?.kernel?.name);
    if (panel === undefined || cluster === null || isSeen(panel)) {
      return;
    }
    const message = endedRunWords(run, panel.title.label, cluster);
    const show = {
      label: trans.__('Show'),
      run: () => void commands.execute('docmanager:open', { path: panel.context.path }),
    };
    (run.failed === 0 ? said : warned)(message, show, ...desktopStep(trans));
    tellOnDesktop(message);
  };
  const runs = new LongRuns({
    atLeastMs: () => {
      const minutes = preferences.present.notifyCellMinutes;
      return minutes === 0 ? null : minutes * 60_000;
    },
    tell,
    later: (run, ms) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  });
  const idOf = (notebook: unknown): string | undefined =>
    notebooks.find(({ content }) => content === notebook)?.id;
  NotebookActions.executionScheduled.connect((_, { notebook, cell }) => {
    const id = idOf(notebook);
    if (id !== undefined) {
      began.set(cell, now());
      runs.began(id, cell);
    }
  });
  NotebookActions.executed.connect((_, { notebook, cell, success }) => {
    const id = idOf(notebook);
    if (id !== undefined) {
      const endedMs = now();
      runs.ended(id, cell, { beganMs: began.get(cell) ?? endedMs, endedMs, ok: success });
    }
  });
}
