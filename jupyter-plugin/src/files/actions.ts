/** *Send to…* and *Fetch*: what is asked, then what is done. */
import { type Copy, type CopyRequest, type HitchClient, missingCount } from '@hitch/contract';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { failed } from '../actions/report.ts';
import { followCopy } from '../copies/follow.ts';
import { askTarget } from './ask-target.ts';
import type { ClusterDrive } from './drive.ts';
import type { ClusterDrives } from './drives.ts';
import { localPathOf } from './local-files.ts';
import { nameOf, splitDrive } from './paths.ts';
import { fetchInto, sendAs, sendInto } from './requests.ts';

export interface ActionsOptions {
  readonly trans: TranslationBundle;
  readonly client: HitchClient;
  readonly contents: Contents.IManager;
  readonly drives: ClusterDrives;
  /** Where fetched files go: the folder it shows. */
  readonly localBrowser: IDefaultFileBrowser | null;
}

export class FileActions {
  readonly #options: ActionsOptions;

  constructor(options: ActionsOptions) {
    this.#options = options;
  }

  /**
   * Asks where to.
   * @param paths as JupyterLab writes them.
   * @param cluster the one to send to, when the person has said so already.
   */
  async send(paths: readonly string[], cluster?: ClusterDrive): Promise<void> {
    const { trans, drives } = this.#options;
    const first = nameOf(paths[0] ?? '');
    const title = trans._n('Send “%2” to a cluster', 'Send %1 items to a cluster', paths.length, first);
    const names = cluster === undefined ? drives.drives.map(({ name }) => name) : [cluster.name];
    const target = await askTarget(trans, title, names);
    const drive = target === null ? undefined : drives.drives.find(({ name }) => name === target.cluster);
    if (target !== null && drive !== undefined) {
      await this.sendInto(drive, paths, target.folder);
    }
  }

  /** Into a folder of the work folder; asks only where something stands in the way. */
  async sendInto(drive: ClusterDrive, paths: readonly string[], folder: string): Promise<void> {
    const { trans, contents } = this.#options;
    const sources = paths.map(path => localPathOf(contents, path)).filter(path => path !== null);
    if (sources.length < paths.length) {
      failed(trans.__('Only files of this Jupyter server can be sent, and these are on another drive.'));
      return;
    }
    await this.#copySending(drive, sendInto(drive.clusterId, sources, folder));
  }

  /** @param arrived run once all of it is there. */
  async sendAs(
    drive: ClusterDrive,
    source: string,
    target: string,
    arrived: () => Promise<void>,
  ): Promise<void> {
    await this.#copySending(drive, sendAs(drive.clusterId, source, target), async ({ state, account }) => {
      if (state === 'done' && missingCount(account) === 0) {
        await arrived();
      }
    });
  }

  async #copySending(
    drive: ClusterDrive,
    request: CopyRequest,
    ended?: (copy: Copy) => Promise<void>,
  ): Promise<void> {
    const { trans, client } = this.#options;
    await followCopy({
      trans,
      api: client.api,
      name: drive.name,
      doing: trans.__('Sending to %1', drive.name),
      done: trans.__('Sent to %1', drive.name),
      start: () => client.api.copies.start(request),
      ...(ended === undefined ? {} : { ended }),
    });
  }

  /** Into the folder that the file browser shows; asks only where something stands in the way. */
  async fetch(drive: ClusterDrive, models: readonly Contents.IModel[]): Promise<void> {
    const { trans, client, contents, localBrowser } = this.#options;
    const folder = localPathOf(contents, localBrowser?.model.path ?? '');
    if (folder === null) {
      failed(trans.__('The file browser shows another drive: open a folder of this Jupyter server first.'));
      return;
    }
    const sources = models.map(({ path }) => splitDrive(path, name => name === drive.name)?.path ?? path);
    await followCopy({
      trans,
      api: client.api,
      name: drive.name,
      doing: trans.__('Fetching from %1', drive.name),
      done: trans.__('Fetched from %1', drive.name),
      start: () => client.api.copies.start(fetchInto(drive.clusterId, sources, folder)),
      ended: async () => localBrowser?.model.refresh(),
    });
  }
}
