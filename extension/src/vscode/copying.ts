/** *Send to…* and *Fetch…*: what is asked, then what is done. Loaded when somebody copies for the first time. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { Cluster, Copy } from '@hitch/contract';
import { workPathSchema } from '@hitch/contract/src/clusters.ts';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { fewOf, outside } from '../files/sources.ts';
import { type CopyDeps, followCopy } from './copies.ts';
import { ask } from './messages.ts';
import { askLine } from './screen.ts';

export interface SendDeps extends CopyDeps {
  /** In this work folder things are other than before. */
  readonly sent: (cluster: Cluster, folder: string) => void;
}

/**
 * Whether files that a command was handed are to leave this computer. A menu hands it files of this window's folders; a
 * link can hand it any, so others are named and asked about first.
 */
export async function isMeant({ name }: Cluster, sources: readonly string[]): Promise<boolean> {
  const folders = (vscode.workspace.workspaceFolders ?? [])
    .filter(({ uri }) => uri.scheme === 'file')
    .map(({ uri }) => uri.fsPath);
  const others = outside(sources, folders);
  const yes = 'Send Them';
  return (
    others.length === 0 ||
    (await ask(
      `Send files from outside of this window’s folders to ${name}?`,
      `Whoever owns that machine can read them.\n${fewOf(others)}`,
      yes,
    )) === yes
  );
}

/** Where in the work folder; null: given up. */
export async function askFolder(cluster: Cluster, sources: readonly string[]): Promise<string | null> {
  const text = await askLine({
    title: `Send ${fewOf(sources.map(source => basename(source)))} to ${cluster.name}`,
    prompt: 'Folder in ~/work on the cluster (empty for ~/work itself)',
    placeholder: 'data',
    check: value =>
      readFolder(value) === null ? 'Enter a folder inside ~/work, such as data/train.' : undefined,
  });
  return text === undefined ? null : readFolder(text);
}

function readFolder(text: string): string | null {
  const folder = text
    .trim()
    .replace(/^~\/work\/?/, '')
    .replace(/^(?:\.\/)+|\/+$/g, '');
  return workPathSchema.safeParse(folder).success ? folder : null;
}

/** What is to be sent: what a menu was opened on, or what a person chooses. Null: given up. @throws HitchError */
export async function localPaths(given: readonly vscode.Uri[]): Promise<readonly string[] | null> {
  const uris =
    given.length > 0
      ? given
      : ((await vscode.window.showOpenDialog({
          title: 'Send to a Cluster',
          openLabel: 'Send',
          canSelectFiles: true,
          canSelectFolders: true,
          canSelectMany: true,
        })) ?? []);
  const foreign = uris.find(({ scheme }) => scheme !== 'file');
  if (foreign !== undefined) {
    throw new HitchError('BAD_INPUT', `${foreign.path} is not on this computer (${foreign.scheme}).`, {
      next: 'Send it from a window that is open on that computer, or copy it here first.',
    });
  }
  return uris.length === 0 ? null : uris.map(({ fsPath }) => fsPath);
}

/** A folder here that is to receive what is fetched; null: given up. */
export async function askWhere(cluster: Cluster): Promise<string | null> {
  const workspace = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri;
  const chosen = await vscode.window.showOpenDialog({
    title: `Fetch from ${cluster.name} into`,
    openLabel: 'Fetch Here',
    canSelectFiles: false,
    canSelectFolders: true,
    ...(workspace === undefined ? {} : { defaultUri: workspace }),
  });
  return chosen?.[0]?.fsPath ?? null;
}

/** @param sources absolute paths here. @returns whether all of it arrived. */
export function send(
  deps: SendDeps,
  cluster: Cluster,
  sources: readonly string[],
  folder: string,
): Promise<boolean> {
  return followCopy(deps, {
    question: `Send to ${cluster.name}?`,
    doing: `Sending to ${cluster.name}`,
    done: `Sent to ${cluster.name}`,
    start: () => start(deps, cluster, 'send', sources, folder),
    over: () => deps.sent(cluster, folder),
  });
}

/** @param sources work paths. @param folder a folder here that exists. @returns whether all of it arrived. */
export function fetchFiles(
  deps: CopyDeps,
  cluster: Cluster,
  sources: readonly string[],
  folder: string,
): Promise<boolean> {
  return followCopy(deps, {
    question: `Fetch from ${cluster.name}?`,
    doing: `Fetching from ${cluster.name}`,
    done: `Fetched from ${cluster.name}`,
    start: () => start(deps, cluster, 'fetch', sources, folder),
  });
}

const start = (
  { model }: CopyDeps,
  { id: clusterId }: Cluster,
  direction: 'send' | 'fetch',
  sources: readonly string[],
  target: string,
): Promise<Copy> =>
  model.client.api.copies.start({
    clusterId,
    direction,
    sources: [...sources],
    target,
    intoFolder: true,
    conflict: 'ask',
  });
