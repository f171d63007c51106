/** Copies between this JupyterLab's files and a cluster's, both ways. */
import { type ClusterId, type HitchClient } from '@hitch/contract';
import { moveAll, type Moved } from '@hitch/contract/src/copying.ts';
import type { Entry, LocalFiles } from './local-files.ts';
import { type Listing, type Plan, planCopy } from './plan.ts';

export interface TransferOptions {
  readonly client: HitchClient;
  readonly local: LocalFiles;
}

export class Transfers {
  readonly #client: HitchClient;
  readonly #local: LocalFiles;

  constructor({ client, local }: TransferOptions) {
    this.#client = client;
    this.#local = local;
  }

  #remote(clusterId: ClusterId): Listing {
    return { list: path => this.#client.api.files.list({ clusterId, path }) };
  }

  planSend(clusterId: ClusterId, sources: readonly Entry[], toFolder: string): Promise<Plan> {
    return planCopy(this.#local, this.#remote(clusterId), sources, toFolder);
  }

  planFetch(clusterId: ClusterId, sources: readonly Entry[], toFolder: string): Promise<Plan> {
    return planCopy(this.#remote(clusterId), this.#local, sources, toFolder);
  }

  async send(
    clusterId: ClusterId,
    plan: Plan,
    signal: AbortSignal,
    onMoved: (moved: Moved) => void,
  ): Promise<void> {
    for (const path of plan.folders) {
      await this.#client.api.files.makeFolder({ clusterId, path }, { signal });
    }
    await moveAll(
      plan.files,
      signal,
      async ({ from, to, sizeBytes }, each, progress) => {
        const source = this.#local.source({ path: from, sizeBytes }, each);
        await this.#client.upload(clusterId, to, source, {
          signal: each,
          onProgress: ({ stage, doneBytes }) => {
            if (stage === 'sending') progress(doneBytes);
          },
        });
      },
      onMoved,
    );
  }

  async fetch(
    clusterId: ClusterId,
    plan: Plan,
    signal: AbortSignal,
    onMoved: (moved: Moved) => void,
  ): Promise<void> {
    for (const path of plan.folders) {
      await this.#local.makeFolder(path);
    }
    await moveAll(
      plan.files,
      signal,
      async ({ from, to }, each, progress) => {
        const bytes = this.#client.download(clusterId, from, {
          signal: each,
          onProgress: ({ doneBytes }) => {
            progress(doneBytes);
          },
        });
        await this.#local.write(to, bytes);
      },
      onMoved,
    );
  }
}
