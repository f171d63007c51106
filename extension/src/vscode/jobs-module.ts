/** What a person does about jobs: run a file, a notebook or a cell as one, open it, stop it, run it again, fetch its outputs. */
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import type { Cluster } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { jobIdSchema } from '@hitch/contract/src/ids.ts';
import { type Job, jobSpecSchema, type JobWork } from '@hitch/contract/src/jobs.ts';
import { jobOutputs, runsWith, splitWords } from '@hitch/contract/src/job-words.ts';
import { jobOfRow } from '../jobs/rows.ts';
import type { FilesApi } from './files-module.ts';
import type { JobsViewApi } from './jobs-view.ts';
import type { Host, Module } from './module.ts';
import type { PagesApi } from './pages.ts';
import { askLine, pickOne } from './screen.ts';
import { fittingCluster } from './which-cluster.ts';

const TITLE = 'Run as Job';
const NOTEBOOK = /\.ipynb$/i;

const canRun = ({ conditions, phase }: Cluster): boolean =>
  conditions.kernel.status === 'yes' && phase !== 'unreachable' && phase !== 'stopping';

/** The folder that checkpoints are kept from, while its machine is there. */
const checkpointsOf = ({ rental }: Job): readonly string[] =>
  rental?.checkpointFolder === undefined || rental.checkpointFolder === null ? [] : [rental.checkpointFolder];

interface Parts {
  readonly view: JobsViewApi | null;
  readonly files: FilesApi | null;
  readonly pages: PagesApi | null;
}

/** A file of this computer that can be run, and the cell that is chosen in it. @throws HitchError */
function chosenFile(args: readonly unknown[]): { path: string; cell: number | null } {
  const [first] = args;
  const isCell = first instanceof Object && 'notebook' in first && 'index' in first;
  const cell = isCell && typeof first.index === 'number' ? first.index : null;
  const uri =
    first instanceof vscode.Uri
      ? first
      : (vscode.window.activeNotebookEditor?.notebook.uri ?? vscode.window.activeTextEditor?.document.uri);
  if (uri === undefined || (!NOTEBOOK.test(uri.path) && runsWith(uri.path) === null)) {
    throw new HitchError('BAD_INPUT', 'No file is open that can be run as a job: a .py, .sh or .ipynb.', {
      next: 'Open one, or choose Run as Job… on a file in the explorer.',
    });
  }
  if (uri.scheme !== 'file') {
    throw new HitchError('BAD_INPUT', `${uri.path} is not on this computer (${uri.scheme}).`, {
      next: 'In a terminal on the cluster, it can be run where it is.',
    });
  }
  return { path: uri.fsPath, cell };
}

/** Asks what there is to ask; null: given up. */
async function askWork(name: string, cell: number | null): Promise<((path: string) => JobWork) | null> {
  if (!NOTEBOOK.test(name)) {
    const line = await askLine({
      title: `${TITLE}: ${name}`,
      prompt: 'Arguments (may be empty)',
      placeholder: '--epochs 3',
    });
    const words = [...(runsWith(name) ?? []), name, ...splitWords(line ?? '')];
    return line === undefined ? null : () => ({ kind: 'command', command: words });
  }
  if (cell === null) {
    return path => ({ kind: 'notebook', path, cells: null });
  }
  const chosen = await pickOne(
    [
      { label: 'This cell and all above it', first: 0 },
      { label: 'Only this cell', first: cell },
    ],
    {
      title: `${TITLE}: cell ${(cell + 1).toString()} of ${name}`,
      placeholder: 'Which cells? They run in a kernel of their own, without the variables of this one',
    },
  );
  return chosen === undefined
    ? null
    : path => ({ kind: 'notebook', path, cells: { first: chosen.first, last: cell } });
}

export function createJobsModule(
  { commands, connection }: Host,
  { view, files, pages }: Parts,
): Module<object> {
  const { model } = connection;

  const jobOf = async (argument: unknown): Promise<Job> => {
    await model.need();
    const { data: jobId } = jobIdSchema.safeParse(jobOfRow(argument));
    if (jobId !== undefined) {
      return model.client.api.jobs.get({ jobId });
    }
    const jobs = await model.client.api.jobs.list({});
    const picked = await pickOne(
      jobs.toReversed().map(job => ({ label: job.name, description: job.clusterName, job })),
      { title: 'Jobs', placeholder: 'Which job?' },
    );
    if (picked === undefined) {
      throw new vscode.CancellationError();
    }
    return picked.job;
  };
  const changed = async (job: Job): Promise<void> => {
    await view?.refresh();
    await pages?.showJob(job);
  };

  const run = async (...args: readonly unknown[]): Promise<void> => {
    const { path, cell } = chosenFile(args);
    const cluster = await fittingCluster(
      model,
      undefined,
      TITLE,
      canRun,
      ({ name }) => `${name} runs no jobs now.`,
    );
    const work = cluster === null ? null : await askWork(basename(path), cell);
    if (cluster === null || work === null) {
      return;
    }
    // What runs is what lies on the disk.
    await vscode.workspace.saveAll();
    const folder = dirname(path);
    const sent = (await files?.send(cluster, [folder], '')) ?? false;
    if (!sent) {
      return;
    }
    const target = basename(folder);
    const spec = jobSpecSchema.parse({ work: work(`${target}/${basename(path)}`), folder: target });
    await changed(await model.client.api.jobs.start({ clusterId: cluster.id, spec }));
  };

  const fetch = async (argument: unknown, what: (job: Job) => readonly string[]): Promise<void> => {
    const job = await jobOf(argument);
    const cluster = model.state.clusters?.find(({ id }) => id === job.clusterId);
    if (cluster === undefined || what(job).length === 0) {
      throw new HitchError('CONFLICT', `There is nothing of ${job.name} that can be fetched.`, {
        next: 'Its cluster has to run, and its outputs to be named when it is started.',
      });
    }
    const { askWhere } = await import('./copying.ts');
    const folder = await askWhere(cluster);
    if (folder !== null) {
      await files?.fetch(cluster, what(job), folder);
    }
  };

  /** Two rows that are selected, or two that are picked; the row that a menu was opened on is one of them. */
  const compare = async (row: unknown, rows: unknown): Promise<void> => {
    await model.need();
    const jobs = await model.client.api.jobs.list({});
    const selected = (Array.isArray(rows) ? rows : [row]).flatMap(each =>
      jobs.filter(({ id }) => id === jobOfRow(each)),
    );
    const pick = async (placeholder: string, besides: readonly Job[]): Promise<Job | null> =>
      (
        await pickOne(
          jobs
            .filter(job => !besides.includes(job))
            .toReversed()
            .map(job => ({ label: job.name, description: job.clusterName, job })),
          { title: 'Compare Jobs', placeholder },
        )
      )?.job ?? null;
    const one = selected[0] ?? (await pick('Which job?', []));
    const other =
      one === null ? null : (selected[1] ?? (await pick(`Compare ${one.name} with which?`, [one])));
    if (one !== null && other !== null) {
      await pages?.showComparison(one, other);
    }
  };

  return {
    api: {},
    disposables: [
      commands.register('hitch.jobs.run', run),
      commands.register('hitch.jobs.open', async argument => pages?.showJob(await jobOf(argument))),
      commands.register('hitch.jobs.stop', async argument => {
        const { id } = await jobOf(argument);
        await model.client.api.jobs.stop({ jobId: id });
        await view?.refresh();
      }),
      commands.register('hitch.jobs.again', async argument => {
        const { id } = await jobOf(argument);
        await changed(await model.client.api.jobs.again({ jobId: id }));
      }),
      commands.register('hitch.jobs.fetch', argument => fetch(argument, jobOutputs)),
      commands.register('hitch.jobs.fetchCheckpoint', argument => fetch(argument, checkpointsOf)),
      commands.register('hitch.jobs.compare', compare),
    ],
  };
}
