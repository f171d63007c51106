/** _Save as template_: writes a draft of a cluster that is there into a new folder. Nothing is published or used by it. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type ClusterId, HitchError, type TemplateDraft } from '@hitch/contract';
import type { ClusterService } from '../clusters/service.ts';
import { localPath } from '../copies/local-paths.ts';
import { jobs as jobKind, type JobRecord } from '../ledger/kinds/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Lock } from '../machines/environments/locks.ts';
import { draftFiles } from '../templates/draft.ts';
import { templateName } from '../templates/template-words.ts';
import type { Templates } from '../templates/templates.ts';

export interface DraftParts {
  readonly ledger: Pick<Ledger, 'kept' | 'state'>;
  readonly clusters: Pick<ClusterService, 'get'>;
  readonly lockOf: (id: string) => Lock | null;
  readonly templates: Pick<Templates, 'check'>;
}

export class TemplateDrafts {
  readonly #parts: DraftParts;

  constructor(parts: DraftParts) {
    this.#parts = parts;
  }

  /** @throws HitchError NOT_FOUND, or CONFLICT where the folder has files; nothing is written then. */
  async write(
    { clusterId, folder }: { readonly clusterId: ClusterId; readonly folder: string },
    localRoot: string | null,
  ): Promise<TemplateDraft> {
    const { ledger, clusters, lockOf, templates } = this.#parts;
    const place = await localPath(folder, localRoot);
    const cluster = clusters.get(clusterId);
    const there = await readdir(place).catch(() => []);
    if (there.length > 0) {
      throw new HitchError('CONFLICT', `The folder ${place} is not empty; nothing was written.`, {
        field: 'folder',
        next: 'Name a new folder.',
      });
    }
    const record = ledger.state(clusterId)?.cluster;
    const request = record?.order?.request ?? null;
    const environment = record?.environment ?? null;
    const lock = environment === null || environment.id === null ? null : lockOf(environment.id);
    const job = this.#lastJob(clusterId);
    const files = draftFiles({
      name: templateName(basename(place)),
      cluster,
      lastsMs:
        request?.stopAtMs === null || request?.stopAtMs === undefined
          ? null
          : request.stopAtMs - (record?.order?.atMs ?? request.stopAtMs),
      secrets: record?.secrets ?? [],
      gpuModels: request?.filter.gpuModels ?? [],
      lock,
      added: (environment?.added ?? []).map(({ name, version }) => `${name}==${version}`),
      job: job === null ? null : { name: job.name, spec: job.spec },
    });
    await mkdir(place, { recursive: true });
    for (const [path, text] of files) {
      await writeFile(join(place, path), text, { flag: 'wx' });
    }
    return {
      folder: place,
      files: [...files.keys()],
      check: await templates.check({ folder: place }, null),
    };
  }

  #lastJob(clusterId: ClusterId): JobRecord | null {
    const own = [...this.#parts.ledger.kept.all(jobKind)].filter(job => job.clusterId === clusterId);
    return own.sort((one, other) => other.createdAtMs - one.createdAtMs)[0] ?? null;
  }
}
