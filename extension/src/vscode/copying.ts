/** *Send to…* and *Fetch…*: what is asked, then what is done. Loaded when somebody copies for the first time. */
import * as vscode from 'vscode';
import type { Cluster } from '@hitch/contract';
import { workPathSchema } from '@hitch/contract/src/clusters.ts';
import { sizeOf, type WhenInTheWay } from '@hitch/contract/src/copying.ts';
import { HitchError } from '@hitch/contract/src/errors.ts';
import type { HitchModel } from '../daemon/model.ts';
import { amount, copy, type CopyPlan, movedWords, planFetch, planSend, settle } from '../files/copies.ts';
import { isAbort, sentence } from '../sentence.ts';

/** From here on a copy is worth a question, even where nothing stands in the way. */
const MUCH_BYTES = 100_000_000;
const MANY_FILES = 1_000;

export interface CopyDeps {
  readonly model: HitchModel;
  /** Work paths that are other than before. */
  readonly sent: (cluster: Cluster, paths: readonly string[]) => void;
}

/** Where in the work folder; null: given up. */
export async function askFolder(cluster: Cluster): Promise<string | null> {
  const text = await vscode.window.showInputBox({
    title: `Send to ${cluster.name}`,
    prompt: 'The folder there, inside ~/work; empty: ~/work itself',
    placeHolder: 'data',
    validateInput: value =>
      readFolder(value) === null ? 'A folder inside ~/work, such as data/train.' : undefined,
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
    throw new HitchError('BAD_INPUT', `${foreign.path} does not lie on this computer (${foreign.scheme}).`, {
      next: 'Send it from a window that is opened where it lies, or copy it here first.',
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

/** @returns whether all of it arrived. */
export async function send(
  deps: CopyDeps,
  cluster: Cluster,
  sources: readonly string[],
  folder: string,
): Promise<boolean> {
  const { model } = deps;
  const plan = await planned(() => planSend(model.client.api, cluster.id, sources, folder));
  const settled = await confirmed(plan, `Send to ${cluster.name}?`, 'Send', 'skip');
  if (settled === null) {
    return false;
  }
  const words = { doing: `Sending to ${cluster.name}`, done: `Sent to ${cluster.name}` };
  const all = await run(model, cluster, settled, words);
  deps.sent(
    cluster,
    settled.files.map(({ to }) => to),
  );
  return all;
}

/** @returns whether all of it arrived. */
export async function fetchFiles(
  { model }: CopyDeps,
  cluster: Cluster,
  sources: readonly string[],
  folder: string,
): Promise<boolean> {
  const plan = await planned(() => planFetch(model.client.api, cluster.id, sources, folder));
  const settled = await confirmed(plan, `Fetch from ${cluster.name}?`, 'Fetch', 'keep-both');
  if (settled === null) {
    return false;
  }
  return run(model, cluster, settled, {
    doing: `Fetching from ${cluster.name}`,
    done: `Fetched from ${cluster.name}`,
  });
}

const planned = (plan: () => Promise<CopyPlan>): Thenable<CopyPlan> =>
  vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: 'Hitch looks at the files' },
    plan,
  );

/** Nothing is replaced unasked, and nothing large moves unasked. Null: given up. */
async function confirmed(
  plan: CopyPlan,
  question: string,
  yes: string,
  usual: WhenInTheWay,
): Promise<CopyPlan | null> {
  const standing = plan.files.filter(({ inTheWay }) => inTheWay);
  const large = sizeOf(plan.files) >= MUCH_BYTES || plan.files.length >= MANY_FILES;
  if (standing.length === 0 && !large) {
    return plan;
  }
  const [first] = standing;
  const detail = [
    `${amount(plan)}.`,
    ...(standing.length === 0
      ? []
      : [
          standing.length === 1
            ? `${first?.to ?? ''} is there already.`
            : `${standing.length} of them are there already, such as ${first?.to ?? ''}.`,
        ]),
    ...plan.leftOut.slice(0, 3),
    ...(plan.leftOut.length > 3 ? [`${plan.leftOut.length - 3} more are left out.`] : []),
  ].join('\n');
  const labels: Readonly<Record<WhenInTheWay, string>> = {
    skip: standing.length === 1 ? 'Skip It' : 'Skip Them',
    'keep-both': 'Keep Both',
    replace: 'Replace',
  };
  // The first has the focus: Enter out of habit replaces nothing.
  const order: readonly WhenInTheWay[] =
    usual === 'skip' ? ['skip', 'keep-both', 'replace'] : ['keep-both', 'skip', 'replace'];
  const choices = standing.length === 0 ? [yes] : order.map(answer => labels[answer]);
  const said = await vscode.window.showWarningMessage(question, { modal: true, detail }, ...choices);
  if (said === undefined) {
    return null;
  }
  return settle(plan, order.find(answer => labels[answer] === said) ?? 'replace');
}

async function run(
  model: HitchModel,
  cluster: Cluster,
  plan: CopyPlan,
  { doing, done }: { readonly doing: string; readonly done: string },
): Promise<boolean> {
  if (plan.files.length === 0 && plan.folders.length === 0) {
    void vscode.window.showInformationMessage(`${done}: nothing, everything is there already.`);
    return true;
  }
  try {
    await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: doing, cancellable: true },
      async (progress, cancelled) => {
        const ended = new AbortController();
        const stop = cancelled.onCancellationRequested(() => ended.abort());
        const totalBytes = Math.max(1, sizeOf(plan.files));
        let shownBytes = 0;
        try {
          await copy(model.client, cluster.id, plan, AbortSignal.any([ended.signal, model.signal]), moved => {
            const increment = ((moved.doneBytes - shownBytes) / totalBytes) * 100;
            shownBytes = moved.doneBytes;
            progress.report({ message: movedWords(plan, moved), increment: Math.max(0, increment) });
          });
        } finally {
          stop.dispose();
        }
      },
    );
  } catch (error) {
    void tellFailure(model, cluster, plan, { doing, done }, error);
    return false;
  }
  const left = plan.leftOut.length === 0 ? '' : ` ${plan.leftOut.slice(0, 2).join(' ')}`;
  void vscode.window.showInformationMessage(`${done}: ${amount(plan)}.${left}`);
  return true;
}

async function tellFailure(
  model: HitchModel,
  cluster: Cluster,
  plan: CopyPlan,
  words: { readonly doing: string; readonly done: string },
  error: unknown,
): Promise<void> {
  const again = 'Go On';
  const cancelled = isAbort(error);
  const said = await (cancelled
    ? vscode.window.showInformationMessage(`${words.doing}: cancelled. What has arrived stays.`, again)
    : vscode.window.showErrorMessage(`${words.doing} failed. ${sentence(error)}`, again));
  if (said === again) {
    await run(model, cluster, plan, words);
  }
}
