/** The step in which packages are chosen: files that lie in the window's folders, pinned before anything is rented or changed. */
import * as vscode from 'vscode';
import type { EnvironmentRequest, FoundEnvironments, HitchClient, LockedEnvironment } from '@hitch/contract';
import { lockNotes, problemLine } from '@hitch/contract/src/environment-words.ts';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { type ChosenPackages, chosenPackages, packagesLines } from '../rent/packages.ts';
import { sentence } from '../sentence.ts';
import { fail, inform } from './messages.ts';
import { withProgress } from './screen.ts';
import { pick, type Step } from './wizard.ts';

const MOST_FOLDERS = 20;

/** In the folders that are open here; a folder more than the daemon takes is named in the notes. */
export async function findPackages(client: HitchClient): Promise<FoundEnvironments> {
  const open = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  if (open.length === 0) {
    return { files: [], notes: ['No folder is open here: open the one with your requirements.txt.'] };
  }
  const found = await client.api.environments.find({
    folders: open.slice(0, MOST_FOLDERS).map(({ uri }) => uri.fsPath),
  });
  const more = open.slice(MOST_FOLDERS).map(({ name }) => `${name} was not looked into.`);
  return { files: found.files, notes: [...found.notes, ...more] };
}

/** Null: it cannot be pinned, which was said. @throws HitchError where nothing can be asked. */
export async function lockPackages(
  client: HitchClient,
  request: EnvironmentRequest,
): Promise<LockedEnvironment | null> {
  const { environment, problems } = await withProgress(
    'notification',
    'Hitch: pinning packages',
    ({ cancelled }) => {
      const giveUp = new AbortController();
      const listener = cancelled.onCancellationRequested(() => giveUp.abort());
      return client.api.environments.lock(request, { signal: giveUp.signal }).finally(() => {
        listener.dispose();
      });
    },
  );
  if (environment === null) {
    void fail(problems.map(problemLine).join('\n'));
    return null;
  }
  const notes = lockNotes(environment);
  if (notes.length > 0) {
    void inform(notes.join('\n'));
  }
  return environment;
}

/** What a new cluster gets; the same as before where it was given up. */
export async function choosePackages(
  client: HitchClient,
  step: Step,
  chosen: ChosenPackages | null,
  target: Pick<EnvironmentRequest, 'engine' | 'platform'>,
): Promise<ChosenPackages | null> {
  const found = await findPackages(client);
  const answer = await pick({
    ...step,
    placeholder: found.notes[0] ?? 'Packages of its notebooks and jobs',
    items: packagesLines(found, chosen),
    active: ({ icon }) => icon === 'check',
  });
  if (answer.kind !== 'value') {
    return chosen;
  }
  const { value } = answer;
  if (value.kind === 'own') {
    return null;
  }
  try {
    const locked = await lockPackages(client, { path: value.path, ...target });
    return locked === null ? chosen : chosenPackages(locked, value.path);
  } catch (error) {
    if (!(error instanceof HitchError)) {
      throw error;
    }
    void fail(sentence(error));
    return chosen;
  }
}
