/** `hitch cp`: files and folders, both ways. */
import { format, HitchError, type ClusterId } from '@hitch/contract';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { parseEndpoint, type Endpoint } from '../files/paths.ts';
import { planDownload, planUpload, type Plan } from '../files/plan.ts';
import { download, upload } from '../files/transfer.ts';
import { interruptible } from '../interrupts.ts';
import { LiveLine } from '../screen/live-line.ts';

interface Copy {
  readonly direction: 'up' | 'down';
  readonly cluster: string;
  readonly sources: readonly string[];
  readonly target: Endpoint;
}

const WRITE_IT = 'Write it like hitch cp data.csv llm-dev:data/ or hitch cp llm-dev:results ./';

/** @throws HitchError BAD_INPUT unless exactly one side is on one cluster. */
export function parseCopy(paths: readonly string[]): Copy {
  const endpoints = paths.map(parseEndpoint);
  const target = endpoints.at(-1);
  const sources = endpoints.slice(0, -1);
  if (target === undefined || sources.length === 0) {
    throw new HitchError('BAD_INPUT', 'A copy needs a source and a target.', { next: WRITE_IT });
  }
  const clusters = new Set(endpoints.flatMap(end => (end.kind === 'remote' ? [end.cluster] : [])));
  const [cluster] = clusters;
  if (cluster === undefined) {
    throw new HitchError('BAD_INPUT', 'Neither side is on a cluster.', { next: WRITE_IT });
  }
  if (
    clusters.size > 1 ||
    new Set(sources.map(({ kind }) => kind)).size > 1 ||
    sources[0]?.kind === target.kind
  ) {
    throw new HitchError('BAD_INPUT', 'One side must be on this computer and the other on one cluster.', {
      next: WRITE_IT,
    });
  }
  return {
    direction: target.kind === 'remote' ? 'up' : 'down',
    cluster,
    sources: sources.map(({ path }) => path),
    target,
  };
}

async function makePlan(context: Context, clusterId: ClusterId, copy: Copy): Promise<Plan> {
  const { api } = await context.session();
  const { target } = copy;
  const here = (path: string): string => {
    const full = resolve(context.cwd, path);
    return /[/\\]$/.test(path) ? `${full}/` : full;
  };
  return target.kind === 'remote'
    ? planUpload(api, clusterId, copy.sources.map(here), target)
    : planDownload(api, clusterId, copy.sources, here(target.path));
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

async function makeFolders(context: Context, clusterId: ClusterId, copy: Copy, plan: Plan): Promise<void> {
  const { api } = await context.session();
  for (const folder of plan.folders) {
    if (copy.direction === 'down') {
      await mkdir(folder, { recursive: true });
    } else if (folder !== '') {
      await api.files.makeFolder({ clusterId, path: folder });
    }
  }
}

async function transferAll(
  context: Context,
  clusterId: ClusterId,
  copy: Copy,
  plan: Plan,
  json: boolean,
): Promise<void> {
  const { io, clock } = context;
  const { client } = await context.session();
  const live = new LiveLine(io);
  const startedAt = clock.monotonic();
  const total = plan.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let before = 0;
  await interruptible(context.interrupts, async signal => {
    await makeFolders(context, clusterId, copy, plan);
    for (const [index, file] of plan.files.entries()) {
      const move = copy.direction === 'up' ? upload : download;
      await move({
        client,
        clusterId,
        localPath: file.localPath,
        workPath: file.workPath,
        signal,
        progress: done => {
          const share = total === 0 ? 100 : Math.floor(((before + done) / total) * 100);
          const text = `${share} %  ${megabytes(before + done)} of ${megabytes(total)} MB  ${file.workPath} (${index + 1} of ${plan.files.length})`;
          if (!json) live.show(format.elapsed(clock.monotonic() - startedAt), text, file.workPath);
        },
      });
      before += file.sizeBytes;
      if (json) {
        const { localPath: local, workPath: remote, sizeBytes } = file;
        io.jsonLine({ type: 'copied', direction: copy.direction, local, remote, sizeBytes });
      }
    }
  }).finally(() => live.clear());
}

export const addCp = defineCommand({
  usage: 'cp <paths...>',
  summary: 'copy files and folders to a cluster or from it; goes on where it stopped',
  examples: [
    ['hitch cp data.csv llm-dev:data/', 'send a file into a folder there'],
    ['hitch cp src train.py llm-dev:', 'send a folder and a file into the work folder'],
    ['hitch cp llm-dev:results ./', 'fetch a folder'],
  ],
  schema: z.object({ paths: z.array(z.string()), json: z.boolean().default(false) }),
  run: async (context, { paths, json }) => {
    const { io } = context;
    const copy = parseCopy(paths);
    const { api } = await context.session();
    const { id: clusterId } = await findCluster(api, copy.cluster);
    const plan = await makePlan(context, clusterId, copy);
    plan.skipped.forEach(sentence => io.note(sentence));
    await transferAll(context, clusterId, copy, plan, json);
    const bytes = plan.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (!json) {
      const count = plan.files.length === 1 ? '1 file' : `${plan.files.length} files`;
      io.line(
        `${copy.direction === 'up' ? 'Sent' : 'Fetched'} ${count}, ${megabytes(bytes)} MB, checksums right.`,
      );
    }
    return EXIT.ok;
  },
});
