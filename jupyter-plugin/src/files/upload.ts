/**
 * Files of the browser's own computer, dropped on a cluster's browser: sent in pieces, resumed, and asked about before
 * one is replaced.
 */
import { blobSource, format, type HitchClient, HitchError } from '@hitch/contract';
import { shouldOverwrite } from '@jupyterlab/docmanager';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { sentenceOf } from '../actions/report.ts';
import { ProgressNote } from '../copies/note.ts';
import { cancelledWords } from '../copies/words.ts';
import type { ClusterDrive } from './drive.ts';
import { joinPath, splitDrive } from './paths.ts';

const SHOW_EVERY_MS = 250;

export interface UploadOptions {
  readonly client: HitchClient;
  readonly trans: TranslationBundle;
}

/** @param folder as JupyterLab writes it, with the drive. @throws Error when it was refused or did not arrive. */
export async function uploadTo(
  options: UploadOptions,
  drive: ClusterDrive,
  file: File,
  folder: string,
): Promise<Contents.IModel> {
  const { client, trans } = options;
  const there = splitDrive(folder, name => name === drive.name)?.path ?? folder;
  const path = joinPath(there, file.name);
  if ((await isThere(client, drive, path)) && !(await shouldOverwrite(file.name))) {
    throw new Error(trans.__('%1 was not sent: it already exists there.', file.name));
  }
  if (!(await uploadWithProgress(options, drive, file, path))) {
    throw new Error(trans.__('%1 did not arrive on %2.', file.name, drive.name));
  }
  return drive.get(path, { content: false });
}

/** Not from the folder's list, which ends where a folder is too full to be listed. */
async function isThere(client: HitchClient, { clusterId }: ClusterDrive, path: string): Promise<boolean> {
  try {
    await client.api.files.stat({ clusterId, path });
    return true;
  } catch (error) {
    if (error instanceof HitchError && error.code === 'NOT_FOUND') {
      return false;
    }
    throw error;
  }
}

/** @returns whether it arrived. */
async function uploadWithProgress(
  options: UploadOptions,
  drive: ClusterDrive,
  file: File,
  path: string,
): Promise<boolean> {
  const { client, trans } = options;
  const doing = trans.__('Sending to %1', drive.name);
  const note = new ProgressNote(trans, trans.__('%1…', doing));
  let shownAt = 0;
  try {
    await client.upload(drive.clusterId, path, blobSource(file), {
      signal: note.signal,
      onProgress: ({ stage, doneBytes, totalBytes }) => {
        if (stage === 'sending' && Date.now() - shownAt >= SHOW_EVERY_MS) {
          shownAt = Date.now();
          const words = trans.__('%1: %2 of %3', doing, format.bytes(doneBytes), format.bytes(totalBytes));
          note.show(words, totalBytes === 0 ? 0 : doneBytes / totalBytes);
        }
      },
    });
  } catch (error) {
    const again = () => void uploadWithProgress(options, drive, file, path);
    note.end(
      note.signal.aborted
        ? { type: 'warning', message: cancelledWords(trans, doing), stays: false, steps: [] }
        : {
            type: 'error',
            message: trans.__('%1 failed. %2', doing, sentenceOf(error)),
            stays: true,
            steps: [{ label: trans.__('Try again'), run: again }],
          },
    );
    return false;
  }
  note.end({
    type: 'success',
    message: trans.__('Sent to %1: %2, %3.', drive.name, file.name, format.bytes(file.size)),
    stays: false,
    steps: [],
  });
  return true;
}
