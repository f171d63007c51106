/** *Send to…* and *Fetch*: what is asked, then what is done. */
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Notification } from '@jupyterlab/apputils';
import { askTarget, confirmCopy } from './dialogs.ts';
import type { ClusterDrive } from './drive.ts';
import type { ClusterDrives } from './drives.ts';
import type { Entry } from './local-files.ts';
import { splitDrive } from './paths.ts';
import { type Plan, settle } from './plan.ts';
import { copyWithProgress, sentenceOf } from './progress.ts';
import type { Transfers } from './transfers.ts';

export interface ActionsOptions {
  readonly trans: TranslationBundle;
  readonly drives: ClusterDrives;
  readonly transfers: Transfers;
  /** Where fetched files go: the folder it shows. */
  readonly localBrowser: IDefaultFileBrowser | null;
}

/** What a file browser has selected; a cluster's path without its drive. */
function entryOf(model: Contents.IModel): Entry {
  return {
    path: model.path,
    name: model.name,
    kind: model.type === 'directory' ? 'folder' : 'file',
    sizeBytes: model.size ?? 0,
  };
}

export class FileActions {
  readonly #options: ActionsOptions;

  constructor(options: ActionsOptions) {
    this.#options = options;
  }

  /** @param cluster the one to send to, when the person has said so already. */
  async send(models: readonly Contents.IModel[], cluster?: ClusterDrive): Promise<void> {
    const { trans, drives, transfers } = this.#options;
    const first = models[0]?.name ?? '';
    const title = trans._n('Send “%2” to a cluster', 'Send %1 items to a cluster', models.length, first);
    const names = cluster === undefined ? drives.drives.map(({ name }) => name) : [cluster.name];
    const target = await askTarget(trans, title, names, '');
    const drive = target === null ? undefined : drives.drives.find(({ name }) => name === target.cluster);
    if (target !== null && drive !== undefined) {
      await this.#told(async () => {
        const plan = await transfers.planSend(drive.clusterId, models.map(entryOf), target.folder);
        await this.#askAndSend(drive, plan);
      });
    }
  }

  /** Into its work folder, as the person said when it was rented; asks only where something stands in the way. */
  async sendAsAgreed(models: readonly Contents.IModel[], drive: ClusterDrive): Promise<void> {
    await this.#told(async () => {
      const plan = await this.#options.transfers.planSend(drive.clusterId, models.map(entryOf), '');
      await (plan.files.some(({ inTheWay }) => inTheWay)
        ? this.#askAndSend(drive, plan)
        : this.sendPlan(drive, plan));
    });
  }

  async #askAndSend(drive: ClusterDrive, plan: Plan): Promise<void> {
    const { trans } = this.#options;
    const title = trans.__('Send to %1?', drive.name);
    const answer = await confirmCopy(trans, title, plan, { yes: trans.__('Send'), usual: 'skip' });
    if (answer !== null) {
      await this.sendPlan(drive, settle(plan, answer));
    }
  }

  /** @returns whether all of it arrived. */
  async sendPlan(drive: ClusterDrive, plan: Plan): Promise<boolean> {
    const { trans, transfers } = this.#options;
    return copyWithProgress({
      trans,
      plan,
      doing: trans.__('Sending to %1', drive.name),
      done: trans.__('Sent to %1', drive.name),
      run: (signal, onMoved) => transfers.send(drive.clusterId, plan, signal, onMoved),
    });
  }

  async fetch(drive: ClusterDrive, models: readonly Contents.IModel[]): Promise<void> {
    const sources = models.map(entryOf).map(entry => ({
      ...entry,
      path: splitDrive(entry.path, name => name === drive.name)?.path ?? entry.path,
    }));
    await this.#told(() => this.#fetchFrom(drive, sources));
  }

  async #fetchFrom(drive: ClusterDrive, sources: readonly Entry[]): Promise<void> {
    const { trans, transfers, localBrowser } = this.#options;
    const folder = localBrowser?.model.path ?? '';
    const plan = await transfers.planFetch(drive.clusterId, sources, folder);
    const title = trans.__('Fetch from %1 into “%2”?', drive.name, folder === '' ? '/' : folder);
    const answer = await confirmCopy(trans, title, plan, { yes: trans.__('Fetch'), usual: 'keep-both' });
    if (answer === null) {
      return;
    }
    const settled = settle(plan, answer);
    await copyWithProgress({
      trans,
      plan: settled,
      doing: trans.__('Fetching from %1', drive.name),
      done: trans.__('Fetched from %1', drive.name),
      run: (signal, onMoved) => transfers.fetch(drive.clusterId, settled, signal, onMoved),
    });
    await localBrowser?.model.refresh();
  }

  async #told(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      Notification.error(sentenceOf(error));
    }
  }
}
