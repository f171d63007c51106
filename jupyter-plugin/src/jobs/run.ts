/** *Run as job…*: the file's folder is sent to a cluster, and the file runs there, whatever becomes of this page. */
import {
  type Cluster,
  type JobSpec,
  type JobWork,
  jobSpecSchema,
  missingCount,
  runsWith,
  splitWords,
} from '@hitch/contract';
import type { Contents } from '@jupyterlab/services';
import type { Deps } from '../actions/deps.ts';
import { NEIGHBOURS } from '../actions/ids.ts';
import { attempt, failed } from '../actions/report.ts';
import { followCopy } from '../copies/follow.ts';
import { localPathOf } from '../files/local-files.ts';
import { askItem, askText } from '../ui/dialogs.ts';

const NOTEBOOK = /\.ipynb$/i;

/** Whether a file can be run as a job, by its name. */
export const canBeJob = (path: string): boolean => NOTEBOOK.test(path) || runsWith(path) !== null;

export interface JobFile {
  /** As JupyterLab writes it. */
  readonly path: string;
  /** The cell that is chosen, where only cells are to run. */
  readonly cell: number | null;
}

/** Asks what there is to ask; null: given up. */
async function workOf(
  { trans }: Deps,
  name: string,
  cell: number | null,
): Promise<((path: string) => JobWork) | null> {
  if (NOTEBOOK.test(name)) {
    if (cell === null) {
      return path => ({ kind: 'notebook', path, cells: null });
    }
    const alone = trans.__('Only this cell');
    const withAbove = trans.__('This cell and all above it');
    const chosen = await askItem(
      trans.__(
        'Run cell %1 as a job: in a kernel of its own, without the variables of this one',
        (cell + 1).toString(),
      ),
      [withAbove, alone],
    );
    return chosen === null
      ? null
      : path => ({ kind: 'notebook', path, cells: { first: chosen === alone ? cell : 0, last: cell } });
  }
  const words = await askText(trans.__('Run %1 as a job', name), trans.__('Arguments (may be empty)'));
  return words === null
    ? null
    : () => ({ kind: 'command', command: [...(runsWith(name) ?? []), name, ...splitWords(words)] });
}

export async function runAsJob(
  deps: Deps,
  contents: Contents.IManager,
  cluster: Cluster,
  { path, cell }: JobFile,
): Promise<void> {
  const { trans, hitch, commands } = deps;
  const local = localPathOf(contents, path);
  if (local === null) {
    failed(trans.__('Only files of this Jupyter server can be run as a job.'));
    return;
  }
  const parts = local.split('/');
  const name = parts.at(-1) ?? local;
  const parent = parts.slice(0, -1).join('/');
  const work = await workOf(deps, name, cell);
  if (work === null) {
    return;
  }
  // The server's own root may be a whole home folder: of it only the file is sent.
  const folder = parent === '' ? '' : (parent.split('/').at(-1) ?? '');
  const spec: JobSpec = jobSpecSchema.parse({
    work: work(folder === '' ? name : `${folder}/${name}`),
    folder,
  });
  const { api } = hitch.client;
  await followCopy({
    trans,
    api,
    name: cluster.name,
    doing: trans.__('Sending to %1', cluster.name),
    done: trans.__('Sent to %1', cluster.name),
    start: () =>
      api.copies.start({
        clusterId: cluster.id,
        direction: 'send',
        sources: [parent === '' ? local : parent],
        target: folder,
        intoFolder: parent === '',
        conflict: 'ask',
      }),
    ended: async ({ state, account }) => {
      if (state === 'done' && missingCount(account) === 0) {
        const start = (): Promise<void> =>
          attempt(
            deps,
            async () => {
              const { id } = await api.jobs.start({ clusterId: cluster.id, spec });
              await commands.execute(NEIGHBOURS.openJob, { jobId: id });
            },
            () => void start(),
          ).then(() => undefined);
        await start();
      }
    },
  });
}
