/** What a stop would interrupt, save and lose, with sizes as far as a cluster's files can be counted in a moment. */
import type { HitchApi } from './client.ts';
import type { Cluster } from './clusters.ts';
import { runningJobsWords } from './job-words.ts';
import { type Kernel, MOST_LISTED } from './runtime.ts';
import { shownName } from './shown/text.ts';
import { notSavedWords, type StopPlan } from './words.ts';

type Asked = Pick<HitchApi, 'files' | 'kernels'>;

/** What an editor calls the notebook at a kernel's path, which may be the editor's own make. */
export type NameOf = (path: string) => string;

/** A training set may have a million files; a sentence needs no more than this to be useful. */
const MOST_FOLDERS = 300;
/** Of what is lost, so many are named. */
const NAMED = 3;

/** Tools make these anew; nobody misses them. */
const MADE_BY_TOOLS: ReadonlySet<string> = new Set(['__pycache__', '.ipynb_checkpoints']);

/** A person waits for the question. */
const COUNT_WITHIN_MS = 1_500;

interface Sum {
  sizeBytes: number;
  /** Not all of it was counted. */
  orMore: boolean;
}

/** `.` and '' name the work folder itself. */
const plain = (path: string): string => path.replace(/^\.?\/?/, '').replace(/\/+$/, '');
/** A path of the work folder, shown. */
export const workWords = (path: string): string =>
  plain(path) === '' ? '~/work' : `~/work/${shownName(plain(path))}`;

/** The path to save that a file lies in; null: none. */
export function savedBy(path: string, saves: readonly string[]): string | null {
  return (
    saves.find(each => plain(each) === '' || path === plain(each) || path.startsWith(`${plain(each)}/`)) ??
    null
  );
}

/**
 * @param signal ends the counting too: what was counted until then is in the answer.
 * @throws when the cluster cannot be asked.
 */
export async function stopPlan(
  api: Asked,
  cluster: Cluster,
  { signal, nameOf }: { signal: AbortSignal; nameOf?: NameOf },
): Promise<StopPlan> {
  const [kernels, counted] = await Promise.all([
    api.kernels.list({ clusterId: cluster.id }, { signal }),
    countFiles(api, cluster, signal),
  ]);
  const { saves, notSaved } = counted;
  return { interrupts: interruptsOf(kernels, nameOf), saves, notSaved };
}

async function countFiles(
  api: Pick<Asked, 'files'>,
  { id: clusterId, save }: Cluster,
  signal: AbortSignal,
): Promise<Pick<StopPlan, 'saves' | 'notSaved'> & { readonly lost: readonly string[] }> {
  const saved = new Map<string, Sum>(save.paths.map(path => [path, { sizeBytes: 0, orMore: false }]));
  const lost = new Map<string, Sum>();
  const sumFor = (path: string): Sum => {
    const by = savedBy(path, save.paths);
    const top = path.split('/')[0] ?? path;
    const sum = (by === null ? lost.get(top) : saved.get(by)) ?? { sizeBytes: 0, orMore: false };
    if (by === null) {
      lost.set(top, sum);
    }
    return sum;
  };
  const folders = [''];
  let asked = 0;
  try {
    for (; asked < Math.min(folders.length, MOST_FOLDERS); asked++) {
      const entries = await api.files.list({ clusterId, path: folders[asked] ?? '' }, { signal });
      if (entries.length >= MOST_LISTED) {
        sumFor(entries[0]?.path ?? '').orMore = true;
      }
      for (const entry of entries) {
        if (MADE_BY_TOOLS.has(entry.name)) {
          continue;
        }
        if (entry.kind === 'folder') {
          folders.push(entry.path);
        } else if (entry.kind === 'file') {
          sumFor(entry.path).sizeBytes += entry.sizeBytes;
        }
      }
    }
  } catch (error) {
    if (asked === 0) {
      throw error;
    }
  }
  for (const folder of folders.slice(asked)) {
    sumFor(folder).orMore = true;
  }
  return {
    saves: [...saved].map(([path, sum]) => ({ path: workWords(path), takesMs: null, ...sum })),
    notSaved: named(lost),
    lost: bySize(lost).map(([path]) => path),
  };
}

export interface Losses {
  /** What is not saved, as a sentence; null: nothing is lost. */
  readonly words: string | null;
  /** The work paths that would be lost, to be saved instead; `['']` stands for the whole work folder. */
  readonly paths: readonly string[];
  /** The cluster could be asked; else `words` says that it could not. */
  readonly counted: boolean;
}

/** What the agent is not there for cannot hold anything of the person's. */
const NOTHING_THERE: readonly Cluster['phase'][] = [
  'requested',
  'purchasing',
  'bootstrapping',
  'stopped',
  'expired',
  'failed',
];

/** More than a stop takes by name: then the whole folder is meant. */
const MOST_PATHS = 100;

/** What a stop would lose. Where that cannot be counted in a moment, it says so: not counted is not nothing. */
export async function lossesOf(api: Pick<Asked, 'files'>, cluster: Cluster): Promise<Losses> {
  if (NOTHING_THERE.includes(cluster.phase)) {
    return { words: null, paths: [], counted: true };
  }
  try {
    const { notSaved, lost } = await countFiles(api, cluster, AbortSignal.timeout(COUNT_WITHIN_MS));
    const paths = lost.length > MOST_PATHS ? [''] : lost;
    return { words: notSavedWords({ notSaved }), paths, counted: true };
  } catch {
    return savedBy('', cluster.save.paths) === null
      ? {
          words: 'What is not saved could not be counted: the cluster does not answer.',
          paths: [''],
          counted: false,
        }
      : { words: null, paths: [], counted: true };
  }
}

/**
 * The jobs that a stop ends, and what becomes of them; null: none runs. From the daemon's own records, which has them also
 * while the cluster does not answer.
 */
export async function jobsAtStop(
  api: Pick<HitchApi, 'jobs'>,
  { id: clusterId }: Pick<Cluster, 'id'>,
): Promise<string | null> {
  try {
    const signal = AbortSignal.timeout(COUNT_WITHIN_MS);
    const words = runningJobsWords(await api.jobs.list({ clusterId }, { signal }));
    return words === null
      ? null
      : `${words}. A stop ends what runs; the log so far stays on this computer, and what is saved is saved after that.`;
  } catch {
    return 'Whether a job is running could not be asked. A stop ends what runs.';
  }
}

const lastPart: NameOf = path => path.split('/').at(-1) ?? path;

/** What runs there now, shown. */
export const interruptsOf = (kernels: readonly Kernel[], nameOf = lastPart): string[] =>
  kernels
    .filter(({ state }) => state === 'busy')
    .map(({ path, name }) => shownName(path === null || path === '' ? name : nameOf(path)));

const counts = ([, { sizeBytes, orMore }]: readonly [string, Sum]): boolean => sizeBytes > 0 || orMore;

/** What counts, the largest first. */
const bySize = (lost: ReadonlyMap<string, Sum>): (readonly [string, Sum])[] =>
  [...lost].filter(counts).sort(([, one], [, other]) => other.sizeBytes - one.sizeBytes);

/** The largest by name, the others together. */
function named(lost: ReadonlyMap<string, Sum>): StopPlan['notSaved'] {
  const all = bySize(lost);
  const rest = all.slice(NAMED);
  return [
    ...all.slice(0, NAMED).map(([name, sum]) => ({ path: workWords(name), ...sum })),
    ...(rest.length === 0
      ? []
      : [
          {
            path: `${rest.length} more`,
            sizeBytes: rest.reduce((sum, [, { sizeBytes }]) => sum + sizeBytes, 0),
            orMore: rest.some(([, { orMore }]) => orMore),
          },
        ]),
  ];
}
