/** Offers what a cell on a cluster missed: to send a file that is here, or to install a package; then the cell runs again. */
import { dirname, join, posix } from 'node:path';
import * as vscode from 'vscode';
import type { Cluster, Job } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { machinesFor, runInstall } from '@hitch/contract/src/install-run.ts';
import { jobLine } from '@hitch/contract/src/job-words.ts';
import { installQuestion, NO_REQUIREMENT, packageOf, readRequirement } from '@hitch/contract/src/missing.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { cellErrorOf, ERROR_MIME, type Missed, missedBy } from '../kernel/missed.ts';
import { sentence } from '../sentence.ts';
import type { FilesApi } from './files-module.ts';
import { fail, inform, warn } from './messages.ts';
import type { Host, Module } from './module.ts';
import { clusterOfNotebook } from './notebook-cluster.ts';
import { askLine, withProgress } from './screen.ts';

interface Here {
  readonly path: string;
  readonly stat: vscode.FileStat;
}

export function createMissing(host: Host, { files }: { readonly files: FilesApi | null }): Module<object> {
  const { model } = host.connection;

  const again = async (cell: vscode.NotebookCell): Promise<void> => {
    if (cell.index >= 0 && !cell.notebook.isClosed) {
      await vscode.commands.executeCommand('notebook.cell.execute', {
        ranges: [{ start: cell.index, end: cell.index + 1 }],
        document: cell.notebook.uri,
      });
    }
  };

  /** The first of the paths that is beside the notebook. */
  const hereOf = async ({ uri }: vscode.NotebookDocument, { paths }: Missed): Promise<Here | null> => {
    if (uri.scheme !== 'file') {
      return null;
    }
    for (const path of paths) {
      try {
        const file = vscode.Uri.file(join(dirname(uri.fsPath), path));
        return { path, stat: await vscode.workspace.fs.stat(file) };
      } catch {
        // It is not here.
      }
    }
    return null;
  };

  const offerFile = async (
    cell: vscode.NotebookCell,
    cluster: Cluster,
    { path, stat }: Here,
  ): Promise<void> => {
    const isFolder = (stat.type & vscode.FileType.Directory) !== 0;
    const copy = isFolder
      ? 'Copy It and Re-run the Cell'
      : `Copy It (${format.bytes(stat.size)}) and Re-run the Cell`;
    const said = await warn(`${path} is on your computer but not on ${cluster.name}.`, copy);
    const source = join(dirname(cell.notebook.uri.fsPath), path);
    const folder = posix.dirname(path) === '.' ? '' : posix.dirname(path);
    if (said === copy && files !== null && (await files.send(cluster, [source], folder))) {
      await again(cell);
    }
  };

  const install = (cluster: Cluster, requirement: string): Thenable<Job | null> =>
    withProgress(
      'notification',
      `Hitch: installing ${requirement} on ${cluster.name}`,
      async ({ cancelled }) => {
        const given = new AbortController();
        const listener = cancelled.onCancellationRequested(() => given.abort());
        try {
          const job = await runInstall({
            api: model.client.api,
            cluster,
            requirement,
            signal: given.signal,
            sleep: (ms, signal) => systemClock.sleep(ms, signal),
          });
          return given.signal.aborted && job.state !== 'succeeded' ? null : job;
        } finally {
          listener.dispose();
        }
      },
    );

  /** The person sees the name, and may change it: nothing of a stranger's is installed without that. */
  const offerPackage = async (cell: vscode.NotebookCell, cluster: Cluster, module: string): Promise<void> => {
    const usual = packageOf(module);
    const yes = 'Install It and Re-run the Cell…';
    if (usual === null || (await warn(`${cluster.name} has no module “${module}”.`, yes)) !== yes) {
      return;
    }
    const typed = await askLine({
      title: `Install a package on ${cluster.name}`,
      prompt: installQuestion(module, cluster.name, machinesFor(cluster)).join(' '),
      value: usual,
      check: text => (readRequirement(text) === null ? NO_REQUIREMENT : undefined),
    });
    const requirement = readRequirement(typed ?? '');
    const job = requirement === null ? null : await install(cluster, requirement);
    if (job === null || requirement === null) {
      return;
    }
    if (job.state === 'succeeded') {
      void inform(`${requirement} is installed on ${cluster.name}.`);
      await again(cell);
      return;
    }
    const log = 'Log';
    const text = `Installing ${requirement} on ${cluster.name} failed. ${jobLine(job, Date.now())}.`;
    if ((await fail(text, log)) === log) {
      await vscode.commands.executeCommand('hitch.jobs.open', job.id);
    }
  };

  const consider = async (cell: vscode.NotebookCell): Promise<void> => {
    const items = cell.outputs.flatMap(output => output.items).filter(({ mime }) => mime === ERROR_MIME);
    const error = items.map(({ data }) => cellErrorOf(new TextDecoder().decode(data))).at(-1) ?? null;
    const missed = error === null ? null : missedBy(error);
    const cluster = missed === null ? null : await clusterOfNotebook(model, cell.notebook);
    if (missed === null || cluster === null) {
      return;
    }
    // A module may be a file of the person's own: that comes before any stranger's package of the same name.
    const here = await hereOf(cell.notebook, missed);
    if (here !== null) {
      await offerFile(cell, cluster, here);
    } else if (missed.module !== null) {
      await offerPackage(cell, cluster, missed.module);
    }
  };

  return {
    api: {},
    disposables: [
      vscode.workspace.onDidChangeNotebookDocument(({ cellChanges }) => {
        for (const { cell, executionSummary } of cellChanges) {
          if (executionSummary?.success === false) {
            consider(cell).catch((error: unknown) => host.log.debug('What a cell missed', sentence(error)));
          }
        }
      }),
    ],
  };
}
