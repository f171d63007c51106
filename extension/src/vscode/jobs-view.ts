/** The Jobs view, asked for while it is seen. */
import * as vscode from 'vscode';
import { isJobSettled, type Job } from '@hitch/contract/src/jobs.ts';
import { type ClusterRayJob, rayJobsOf } from '@hitch/contract/src/ray-jobs.ts';
import { jobRows, rayJobRows } from '../jobs/rows.ts';
import { sentence } from '../sentence.ts';
import type { Row } from '../tree/row.ts';
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
/** Ray's dashboards are slow to answer. */
const RAY_EVERY_MS = 15_000;

export function createJobsView({ connection, commands }: Host): Module<JobsViewApi> {
  const { model } = connection;
  let known: readonly Job[] = [];
  let ofRay: readonly ClusterRayJob[] = [];
  let askedAt = 0;
  let rayAskedAt = Number.NEGATIVE_INFINITY;
  const roots = (): readonly Row[] => [...jobRows(known, Date.now()), ...rayJobRows(ofRay, Date.now())];
  const tree = new RowTree({ roots, below: () => [] });
  const view = vscode.window.createTreeView('hitch.jobs', { treeDataProvider: tree, canSelectMany: true });

  const refresh = async (): Promise<void> => {
    askedAt = Date.now();
    try {
      known = await model.client.api.jobs.list({}, { signal: model.signal });
      setMessage(view, '');
      if (askedAt - rayAskedAt >= RAY_EVERY_MS) {
        rayAskedAt = askedAt;
        ofRay = (await rayJobsOf(model.client.api, model.signal)).jobs;
      }
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
