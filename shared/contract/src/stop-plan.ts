/** What a stop would interrupt, save and lose, with sizes as far as a cluster's files can be counted in a moment. */
import type { HitchApi } from './client.ts';
import type { Cluster } from './clusters.ts';
import type { Kernel } from './runtime.ts';
import { notSavedWords, type StopPlan } from './words.ts';

type Asked = Pick<HitchApi, 'files' | 'kernels'>;

/** What an editor calls the notebook at a kernel's path, which may be the editor's own make. */
export type NameOf = (path: string) => string;

/** A training set may have a million files; a sentence needs no more than this to be useful. */
const MOST_FOLDERS = 300;
/** Of what is lost, so many are named. */
const NAMED = 3;

/** A person waits for the question. */
const COUNT_WITHIN_MS = 1_500;

interface Sum {
  sizeBytes: number;
  /** Not all of it was counted. */
  orMore: boolean;
}

/** `.` and '' name the work folder itself. */
const plain = (path: string): string => path.replace(/^\.?\/?/, '').replace(/\/+$/, '');
export const workWords = (path: string): string => (plain(path) === '' ? '~/work' : `~/work/${plain(path)}`);

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
  return { interrupts: interruptsOf(kernels, nameOf), ...counted };
}

async function countFiles(
  api: Pick<Asked, 'files'>,
  { id: clusterId, save }: Cluster,
  signal: AbortSignal,
): Promise<Pick<StopPlan, 'saves' | 'notSaved'>> {
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
      for (const entry of await api.files.list({ clusterId, path: folders[asked] ?? '' }, { signal })) {
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
  };
}

/** What a stop would lose, as a sentence; null where there is nothing, or it cannot be counted in a moment. */
export const lossesOf = (api: Pick<Asked, 'files'>, cluster: Cluster): Promise<string | null> =>
  countFiles(api, cluster, AbortSignal.timeout(COUNT_WITHIN_MS)).then(notSavedWords, () => null);

const lastPart: NameOf = path => path.split('/').at(-1) ?? path;

export const interruptsOf = (kernels: readonly Kernel[], nameOf = lastPart): string[] =>
  kernels
    .filter(({ state }) => state === 'busy')
    .map(({ path, name }) => (path === null || path === '' ? name : nameOf(path)));

/** The largest by name, the others together. */
function named(lost: ReadonlyMap<string, Sum>): StopPlan['notSaved'] {
  const all = [...lost]
    .filter(([, { sizeBytes, orMore }]) => sizeBytes > 0 || orMore)
    .sort(([, one], [, other]) => other.sizeBytes - one.sizeBytes);
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
