/** Files dropped on a cluster's browser: sent as *Send to…* sends, and asked about before one is replaced. */
import type { HitchClient } from '@hitch/contract';
import { blobSource } from '@hitch/contract';
import { shouldOverwrite } from '@jupyterlab/docmanager';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ClusterDrive } from './drive.ts';
import { joinPath, splitDrive } from './paths.ts';
import { copyWithProgress } from './progress.ts';

export interface UploadOptions {
  readonly client: HitchClient;
  readonly trans: TranslationBundle;
}

/** @param folder as JupyterLab writes it, with the drive. @throws Error when it was refused or did not arrive. */
export async function uploadTo(
  { client, trans }: UploadOptions,
  drive: ClusterDrive,
  file: File,
  folder: string,
): Promise<Contents.IModel> {
  const there = splitDrive(folder, name => name === drive.name)?.path ?? folder;
  const path = joinPath(there, file.name);
  const { clusterId } = drive;
  const standing = await client.api.files.list({ clusterId, path: there });
  const inTheWay = standing.some(({ name }) => name === file.name);
  if (inTheWay && !(await shouldOverwrite(file.name))) {
    throw new Error(trans.__('%1 was not sent: it is there already.', file.name));
  }
  const arrived = await copyWithProgress({
    trans,
    plan: {
      files: [{ from: file.name, to: path, sizeBytes: file.size, inTheWay }],
      sizeBytes: file.size,
    },
    doing: trans.__('Sending to %1', drive.name),
    done: trans.__('Sent to %1', drive.name),
    run: async (signal, onMoved) => {
      await client.upload(clusterId, path, blobSource(file), {
        signal,
        onProgress: ({ stage, doneBytes }) => {
          if (stage === 'sending') onMoved({ doneFiles: 0, doneBytes });
        },
      });
    },
  });
  if (!arrived) {
    throw new Error(trans.__('%1 did not arrive on %2.', file.name, drive.name));
  }
  return drive.get(path, { content: false });
}
