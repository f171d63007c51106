/** The Jobs view, asked for while it is seen. */
import * as vscode from 'vscode';
import { isJobSettled, type Job } from '@hitch/contract/src/jobs.ts';
import { jobRows } from '../jobs/rows.ts';
import { sentence } from '../sentence.ts';
import { disposable, type Host, type Module } from './module.ts';
import { RowTree } from './row-tree.ts';
import { setMessage } from './screen.ts';

export interface JobsViewApi {
  readonly tree: RowTree;
  /** As last heard. */
  jobs(): readonly Job[];
  refresh(): Promise<void>;
}

const RUNNING_EVERY_MS = 2_000;
/** Somebody may begin one elsewhere. */
const EVERY_MS = 10_000;

export function createJobsView({ connection, commands }: Host): Module<JobsViewApi> {
  const { model } = connection;
  let known: readonly Job[] = [];
  let askedAt = 0;
  const tree = new RowTree({ roots: () => jobRows(known, Date.now()), below: () => [] });
  const view = vscode.window.createTreeView('hitch.jobs', { treeDataProvider: tree });

  const refresh = async (): Promise<void> => {
    askedAt = Date.now();
    try {
      known = await model.client.api.jobs.list({}, { signal: model.signal });
      setMessage(view, '');
    } catch (error) {
      setMessage(view, known.length > 0 ? `${sentence(error)} This is what was last known.` : '');
    }
    tree.refresh();
  };
  const look = (): void => {
    const isRunning = known.some(job => !isJobSettled(job));
    const isDue = Date.now() - askedAt >= (isRunning ? RUNNING_EVERY_MS : EVERY_MS);
    if (view.visible && isDue && model.state.connection === 'live') {
      void refresh();
    }
  };
  const tick = setInterval(look, RUNNING_EVERY_MS);

  return {
    api: { tree, jobs: () => known, refresh },
    disposables: [
      view,
      tree,
      disposable(model.onChange(look)),
      view.onDidChangeVisibility(look),
      disposable(() => clearInterval(tick)),
      commands.register('hitch.jobs.refresh', async () => {
        await model.need();
        await refresh();
      }),
    ],
  };
}
