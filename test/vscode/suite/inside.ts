/** What the suites share: the extension's features, the stand-in, the daemon's process, waiting, cells. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, ClusterId } from '@hitch/contract';
import * as vscode from 'vscode';
import * as z from 'zod';
import type { Exported } from '../../../extension/src/extension.ts';
import type { Features } from '../../../extension/src/vscode/start.ts';
import type { StandIn } from '../jupyter/extension.ts';

export { delay };

export const EXTENSION_ID = 'hitch.hitch';

export async function exported(): Promise<Exported> {
  const extension = vscode.extensions.getExtension<Exported>(EXTENSION_ID);
  if (extension === undefined) {
    throw new Error('the extension is not installed');
  }
  return extension.activate();
}

export const features = async (): Promise<Features> => (await exported()).features;

export async function standIn(): Promise<StandIn> {
  const extension = vscode.extensions.getExtension<StandIn>('ms-toolsai.jupyter');
  if (extension === undefined) {
    throw new Error('the stand-in is not installed');
  }
  return extension.activate();
}

export async function until<T>(
  what: string,
  check: () => T | false | null | undefined | Promise<T | false | null | undefined>,
  withinMs = 120_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await check();
    if (found !== false && found !== null && found !== undefined) {
      return found;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${Math.round(withinMs / 1000).toString()} s in vain: ${what}`);
    }
    await delay(50);
  }
}

/** What is written in the document in front, once that is the one that is meant. */
export const shownDocument = (meant: RegExp): Promise<string> =>
  until(`a document with ${String(meant)} in front`, () => {
    const text = vscode.window.activeTextEditor?.document.getText() ?? '';
    return meant.test(text) ? text : null;
  });

const discovery = z.object({ pid: z.number(), token: z.string(), port: z.number() });

/** The daemon as its own file says. */
export async function daemon(): Promise<z.infer<typeof discovery>> {
  const { host } = await features();
  return discovery.parse(JSON.parse(readFileSync(join(host.connection.home.root, 'daemon.json'), 'utf8')));
}

export async function clusterNow(id: ClusterId): Promise<Cluster> {
  const { host } = await features();
  const found = host.connection.model.state.clusters?.find(cluster => cluster.id === id);
  if (found === undefined) {
    throw new Error(`${id} is not in the list`);
  }
  return found;
}

/** One practice cluster for all suites, rented as the wizard does. */
let shared: Promise<Cluster> | null = null;
export function practiceCluster(): Promise<Cluster> {
  shared ??= rentPractice('llm-dev');
  return shared;
}

/** @param minVramMiB to have another machine than the cheapest, which others may have taken. */
export async function rentPractice(name: string, minVramMiB = 0): Promise<Cluster> {
  const { host } = await features();
  const { model } = host.connection;
  await model.need();
  const filter = { practice: 'only', minVramMiB } as const;
  for (;;) {
    const quote = await until('a practice offer', () =>
      model.client.api.quotes.create({ filter, capMicroUsd: '50000000' }).catch(() => null),
    );
    const cluster = await model.client.api.clusters.create({ quoteId: quote.id, name });
    const end = await until(`${name} can run a notebook`, () => {
      const now = model.state.clusters?.find(({ id }) => id === cluster.id);
      // An offer may be sold out in the practice market as in others.
      const isSoldOut = now?.phase === 'failed' && now.message.includes('Somebody else rented');
      if (now?.phase === 'failed' && !isSoldOut) {
        throw new Error(`${name} failed: ${now.message}`);
      }
      return isSoldOut ? 'sold out' : now?.conditions.kernel.status === 'yes' ? 'ready' : null;
    });
    if (end === 'ready') {
      return clusterNow(cluster.id);
    }
    await model.client.api.clusters.remove({ clusterId: cluster.id });
  }
}

export const openNotebook = async (cells: readonly string[] = ['']): Promise<vscode.NotebookDocument> => {
  const data = cells.map(code => new vscode.NotebookCellData(vscode.NotebookCellKind.Code, code, 'python'));
  const notebook = await vscode.workspace.openNotebookDocument(
    'jupyter-notebook',
    new vscode.NotebookData(data),
  );
  await vscode.window.showNotebookDocument(notebook);
  return notebook;
};

const decode = (cell: vscode.NotebookCell): string =>
  cell.outputs
    .flatMap(({ items }) => items)
    .map(({ data }) => Buffer.from(data).toString('utf8'))
    .join('');

export interface Running {
  readonly over: Promise<string>;
  readonly text: () => string;
}

/** Puts a cell at the end of the notebook and runs it in the notebook's kernel. */
export async function runCell(notebook: vscode.NotebookDocument, code: string): Promise<Running> {
  const index = notebook.cellCount;
  const edit = new vscode.WorkspaceEdit();
  const cell = new vscode.NotebookCellData(vscode.NotebookCellKind.Code, code, 'python');
  edit.set(notebook.uri, [vscode.NotebookEdit.insertCells(index, [cell])]);
  await vscode.workspace.applyEdit(edit);
  const ended = () => notebook.cellAt(index).executionSummary?.timing?.endTime !== undefined;
  void vscode.commands.executeCommand('notebook.cell.execute', {
    ranges: [{ start: index, end: index + 1 }],
    document: notebook.uri,
  });
  return {
    text: () => decode(notebook.cellAt(index)),
    over: until(`the cell ends: ${code.slice(0, 60)}`, ended).then(() => decode(notebook.cellAt(index))),
  };
}

export const result = async (notebook: vscode.NotebookDocument, code: string): Promise<string> =>
  (await runCell(notebook, code)).over;
