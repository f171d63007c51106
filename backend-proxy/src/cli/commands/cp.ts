/** `hitch cp`: files and folders, both ways. */
import {
  accountLines,
  type ClusterId,
  type Conflict,
  conflictSchema,
  type Copy,
  type CopyRequest,
  errorFromEnvelope,
  format,
  HitchError,
  isCopyOver,
  missingWords,
  progressWords,
  runCopy,
  shownName,
  USUAL_CONFLICT,
} from '@hitch/contract';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../exit-codes.ts';
import { parseEndpoint, type Endpoint } from '../files/paths.ts';
import { interruptible } from '../interrupts.ts';
import { LiveLine } from '../screen/live-line.ts';
import { writeNames } from '../screen/account.ts';
import { ask } from '../screen/prompt.ts';

interface Copying {
  readonly direction: 'send' | 'fetch';
  readonly cluster: string;
  readonly sources: readonly string[];
  readonly target: Endpoint;
}

const WRITE_IT = 'Write it like hitch cp data.csv llm-dev:data/ or hitch cp llm-dev:results ./';

/** @throws HitchError BAD_INPUT unless exactly one side is on one cluster. */
export function parseCopy(paths: readonly string[]): Copying {
  const endpoints = paths.map(parseEndpoint);
  const target = endpoints.at(-1);
  const sources = endpoints.slice(0, -1);
  if (target === undefined || sources.length === 0) {
    throw new HitchError('BAD_INPUT', 'A copy needs a source and a target.', { next: WRITE_IT });
  }
  const clusters = new Set(endpoints.flatMap(end => (end.kind === 'remote' ? [end.cluster] : [])));
  const [cluster] = clusters;
  if (cluster === undefined) {
    throw new HitchError('BAD_INPUT', 'One side must be on a cluster, e.g. hitch cp data.csv llm-dev:data/', {
      next: 'hitch ls shows your clusters.',
    });
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
    direction: target.kind === 'remote' ? 'send' : 'fetch',
    cluster,
    sources: sources.map(({ path }) => path),
    target,
  };
}

/** What is asked of the daemon, which reads and writes this computer's files itself. */
async function requestOf(
  context: Context,
  clusterId: ClusterId,
  { direction, sources, target }: Copying,
  { all, onConflict }: Pick<CpInput, 'all' | 'onConflict'>,
): Promise<CopyRequest> {
  const conflict: CopyRequest['conflict'] = onConflict ?? (context.io.interactive ? 'ask' : USUAL_CONFLICT);
  const common = { clusterId, all, conflict };
  if (target.kind === 'remote') {
    const intoFolder =
      target.intoFolder || sources.length > 1 || (await isFolderThere(context, clusterId, target.path));
    const here = sources.map(path => resolve(context.cwd, path));
    return { ...common, direction: 'send', sources: here, target: target.path, intoFolder };
  }
  const local = resolve(context.cwd, target.path);
  const isFolder = (await stat(local).catch(() => null))?.isDirectory() === true;
  const intoFolder = /[/\\]$/.test(target.path) || sources.length > 1 || isFolder;
  return { ...common, direction, sources: [...sources], target: local, intoFolder };
}

async function isFolderThere(context: Context, clusterId: ClusterId, path: string): Promise<boolean> {
  const { api } = await context.session();
  const found = await api.files.stat({ clusterId, path }).catch(() => null);
  return found?.kind === 'folder';
}

const CONFLICT_KEYS = { k: 'keep-both', r: 'replace', s: 'skip' } as const satisfies Record<string, Conflict>;

/** Null: nothing is to be copied. */
async function askConflict({ io }: Context, copy: Copy): Promise<Conflict | null> {
  const { count, names } = copy.inTheWay;
  const more = count > names.length ? `, and ${count - names.length} more` : '';
  io.note(
    `${count} of them ${count === 1 ? 'is there already and differs' : 'are there already and differ'}: ${names.map(shownName).join(', ')}${more}.`,
  );
  io.note('Keep both: the old one is renamed with the date.');
  const said = (await ask(io, '[K]eep both, [r]eplace, [s]kip, [c]ancel? ')).trim().toLowerCase();
  return said === ''
    ? USUAL_CONFLICT
    : (Object.entries(CONFLICT_KEYS).find(([key]) => said.startsWith(key))?.[1] ?? null);
}

async function report(context: Context, copy: Copy, json: boolean): Promise<ExitCode> {
  const { io } = context;
  const missing = missingWords(copy.account, copy.problem);
  if (json) {
    await writeNames(context, copy);
    io.jsonLine({ type: 'copy', copy });
  } else {
    const [amount = '', ...rest] = accountLines(copy.account);
    io.line(`${copy.kind === 'send' ? 'Sent' : 'Fetched'}: ${amount}.`);
    rest.forEach(line => io.line(`  ${line}`));
    if (missing !== null && copy.problem !== null) {
      io.line('  ', io.style('yellow', '⚠'), ` ${copy.problem.message}`);
    }
  }
  if (copy.state === 'cancelled') {
    return EXIT.declined;
  }
  if (copy.problem !== null) {
    return exitCodeOf(copy.problem.code);
  }
  return missing === null ? EXIT.ok : EXIT.notAll;
}

type CpInput = z.output<typeof cpSchema>;

const cpSchema = z.object({
  paths: z.array(z.string()),
  onConflict: conflictSchema.optional(),
  all: z.boolean().default(false),
  json: z.boolean().default(false),
});

export async function runCp(context: Context, input: CpInput): Promise<ExitCode> {
  const { io, clock } = context;
  const copying = parseCopy(input.paths);
  const { api } = await context.session();
  const { id: clusterId } = await findCluster(api, copying.cluster);
  const request = await requestOf(context, clusterId, copying, input);
  const live = new LiveLine(io);
  const startedAt = clock.monotonic();
  const ended = await interruptible(context.interrupts, async signal => {
    const copy = await runCopy({
      api,
      signal,
      sleep: (ms, until) => clock.sleep(ms, until),
      start: () => api.copies.start(request),
      ask: async asking => {
        live.clear();
        return askConflict(context, asking);
      },
      onState: news => {
        if (!input.json && !isCopyOver(news) && news.state !== 'asking') {
          live.show(format.elapsed(clock.monotonic() - startedAt), progressWords(news), news.state);
        }
      },
    });
    signal.throwIfAborted();
    return copy;
  }).finally(() => live.clear());
  if (ended.problem !== null && ended.account.copiedFiles === 0 && !input.json) {
    throw errorFromEnvelope(ended.problem);
  }
  return report(context, ended, input.json);
}

export const addCp = defineCommand({
  usage: 'cp <paths...>',
  summary: 'copy files and folders to or from a cluster; run again to resume',
  examples: [
    ['hitch cp data.csv llm-dev:data/', 'copy a file into a folder of the cluster'],
    ['hitch cp src train.py llm-dev:', 'copy a folder and a file into the work folder'],
    ['hitch cp llm-dev:results ./', 'copy a folder here'],
    ['hitch cp llm-dev:results ./ --on-conflict skip', 'only files that are not here yet'],
    ['hitch cp . llm-dev: --all', 'also what .gitignore and .hitchignore exclude'],
  ],
  options: command =>
    command
      .option(
        '--on-conflict <what>',
        'where a different file has the same name: keep-both (the old one is renamed with the date), replace, skip',
      )
      .option('--all', 'also what .gitignore, .hitchignore and the usual rules exclude'),
  schema: cpSchema,
  run: runCp,
});
