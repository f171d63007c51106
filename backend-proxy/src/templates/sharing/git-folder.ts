/** One folder of a repository at one commit, as git's objects have it. Nothing of it is written where people look. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError } from '@hitch/contract';
import { type GitSource, gitSourceText } from '@hitch/contract/src/templates/git-source.ts';
import type { TemplateProblem } from '@hitch/contract/src/templates/problem.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { collisions, MOST_BYTES, MOST_FILES, nameProblem } from '../folder.ts';
import { git, type GitTools, GitTooMuchError } from './git-command.ts';

export interface GitFile {
  /** Inside the folder, with `/`. */
  readonly path: string;
  readonly content: Buffer;
  readonly executable: boolean;
}

export interface GitFolder {
  readonly commit: string;
  readonly kind: 'tag' | 'branch' | 'commit';
  readonly files: readonly GitFile[];
  /** What it may not hold; then there are no files. */
  readonly problems: readonly TemplateProblem[];
}

export interface GitReading {
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What a repository may send at one commit before it is left alone. */
export const MOST_FETCHED_BYTES = 256 * 1024 * 1024;
const LONGEST_MS = 5 * 60_000;
const LOOK_MS = 250;
const MOST_LISTED_BYTES = 4 * 1024 * 1024;
const COMMIT = /^[0-9a-f]{40}$/;

/** @throws HitchError with a sentence where it cannot be read. */
export async function readGitFolder(source: GitSource, reading: GitReading): Promise<GitFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'hitch-git-'));
  const over = new AbortController();
  const tools: GitTools = {
    environment: reading.environment,
    signal: AbortSignal.any([reading.signal, over.signal]),
  };
  const watch = watchSize(folder, reading.clock, over);
  try {
    return await read(source, folder, tools);
  } finally {
    over.abort();
    await watch;
    await rm(folder, { recursive: true, force: true });
  }
}

async function read(source: GitSource, folder: string, tools: GitTools): Promise<GitFolder> {
  const few = 64 * 1024;
  await git(tools, {
    args: ['init', '--quiet', '--bare', '--template=', folder],
    folder: null,
    mostBytes: few,
  });
  const { kind, name } = await refOf(source, tools);
  await git(tools, {
    args: [
      ...['fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules', '--no-auto-gc'],
      ...['--no-write-fetch-head', '--', source.url, `+${name}:refs/hitch/it`],
    ],
    folder,
    mostBytes: few,
  });
  const commit = (
    await git(tools, { args: ['rev-parse', '--verify', 'refs/hitch/it^{commit}'], folder, mostBytes: few })
  )
    .toString('utf8')
    .trim();
  const entries = await listed(source, commit, folder, tools);
  const problems = problemsOf(entries);
  return problems.length > 0
    ? { commit, kind, files: [], problems }
    : { commit, kind, ...(await contents(entries, folder, tools)) };
}

/** Tags before branches, as people mean a version; what is asked for is named in full, so that git chooses nothing. */
async function refOf(
  source: GitSource,
  tools: GitTools,
): Promise<{ readonly kind: GitFolder['kind']; readonly name: string }> {
  const { url, ref } = source;
  if (ref !== null && COMMIT.test(ref)) {
    return { kind: 'commit', name: ref };
  }
  const wanted = ref === null ? ['HEAD'] : [`refs/tags/${ref}`, `refs/heads/${ref}`];
  const said = await git(tools, {
    args: ['ls-remote', '--quiet', '--', url, ...wanted],
    folder: null,
    mostBytes: MOST_LISTED_BYTES,
  });
  const there = new Set(
    said
      .toString('utf8')
      .split('\n')
      .map(line => line.split('\t')[1] ?? ''),
  );
  const name = wanted.find(each => there.has(each));
  if (name === undefined) {
    throw new HitchError(
      'NOT_FOUND',
      ref === null ? `The repository ${url} is empty.` : `There is no tag and no branch “${ref}” in ${url}.`,
      { next: 'Look at the tags that it has: git ls-remote with its address.' },
    );
  }
  return { kind: name.startsWith('refs/tags/') ? 'tag' : 'branch', name };
}

interface Entry {
  readonly mode: string;
  readonly type: string;
  readonly id: string;
  readonly bytes: number;
  readonly path: string;
}

async function listed(
  source: GitSource,
  commit: string,
  folder: string,
  tools: GitTools,
): Promise<readonly Entry[]> {
  let text: string;
  try {
    const tree = source.path === '' ? commit : `${commit}:${source.path}`;
    const out = await git(tools, {
      args: ['ls-tree', '-r', '-l', '-z', '--full-tree', tree],
      folder,
      mostBytes: MOST_LISTED_BYTES,
    });
    text = out.toString('utf8');
  } catch (error) {
    if (error instanceof GitTooMuchError) {
      throw new HitchError('TOO_LARGE', `${gitSourceText(source)} has more files than a template may have.`, {
        next: 'Name the template’s own folder after the tag, such as #v1.0.0:templates/mine.',
        cause: error,
      });
    }
    if (error instanceof HitchError && source.path !== '') {
      throw new HitchError('NOT_FOUND', `There is no folder ${source.path} in ${source.url}.`, {
        next: 'Look at the repository at that tag or branch.',
        cause: error,
      });
    }
    throw error;
  }
  return text
    .split('\0')
    .filter(line => line !== '')
    .map(line => {
      const tab = line.indexOf('\t');
      const path = line.slice(tab + 1);
      const [mode = '', type = '', id = '', bytes = ''] = line.slice(0, tab).split(/ +/);
      return { mode, type, id, bytes: Number(bytes) || 0, path };
    });
}

/** Before anything is written: what is no plain file, or no name that every system can have. */
function problemsOf(entries: readonly Entry[]): readonly TemplateProblem[] {
  const problem = (file: string, sentence: string): TemplateProblem => ({
    file,
    line: null,
    column: null,
    sentence,
  });
  if (entries.length > MOST_FILES) {
    return [
      problem(
        '',
        `The folder has ${entries.length.toString()} files, and may have ${MOST_FILES.toString()}.`,
      ),
    ];
  }
  const bytes = entries.reduce((sum, each) => sum + each.bytes, 0);
  if (bytes > MOST_BYTES) {
    return [
      problem(
        '',
        `The folder has ${Math.ceil(bytes / 1024 / 1024).toString()} MB, and may have ${(MOST_BYTES / 1024 / 1024).toString()}.`,
      ),
    ];
  }
  return [
    ...entries.flatMap(({ mode, type, path }) => {
      const parts = path.split('/');
      const bad = parts.map(nameProblem).find(each => each !== null);
      if (parts.some(part => part === '' || part === '.' || part === '..' || /^\.git$/i.test(part))) {
        return [problem(path, 'leads out of the template’s folder, or into git’s own.')];
      }
      if (bad !== undefined) {
        return [problem(path, bad)];
      }
      if (mode === '120000') {
        return [
          problem(path, 'is a link; a template holds files and folders alone. Put the file itself here.'),
        ];
      }
      return type === 'blob'
        ? []
        : [problem(path, 'is another repository (a submodule), which is not fetched. Put its files here.')];
    }),
    ...collisions(entries),
  ];
}

const LFS = Buffer.from('version https://git-lfs.github.com/spec/');

async function contents(
  entries: readonly Entry[],
  folder: string,
  tools: GitTools,
): Promise<Pick<GitFolder, 'files' | 'problems'>> {
  const out = await git(tools, {
    args: ['cat-file', '--batch'],
    folder,
    input: entries.map(({ id }) => `${id}\n`).join(''),
    mostBytes: MOST_BYTES + entries.length * 128,
  });
  let at = 0;
  const files = entries.map(({ path, mode, id }) => {
    const end = out.indexOf(10, at);
    const [named, type, size] = out.subarray(at, end).toString('utf8').split(' ');
    if (named !== id || type !== 'blob') {
      throw new HitchError('BAD_INPUT', `${path} is not in what the repository sent.`, {
        next: 'Tell the owner of the repository.',
      });
    }
    const content = out.subarray(end + 1, end + 1 + Number(size));
    at = end + 2 + Number(size);
    return { path, content, executable: mode === '100755' };
  });
  const pointer = files.find(({ content }) => content.subarray(0, LFS.length).equals(LFS));
  return pointer === undefined
    ? { files, problems: [] }
    : {
        files: [],
        problems: [
          {
            file: pointer.path,
            line: null,
            column: null,
            sentence:
              'is kept in Git LFS, which is not read for templates. Put the file itself here, or have the program fetch it.',
          },
        ],
      };
}

/** A repository says nowhere how large it is before it has sent itself: what has come is looked at while it comes. */
async function watchSize(folder: string, clock: Clock, over: AbortController): Promise<void> {
  const from = clock.monotonic();
  while (!over.signal.aborted) {
    const packs = join(folder, 'objects', 'pack');
    const names = await readdir(packs).catch(() => []);
    const sizes = await Promise.all(names.map(name => stat(join(packs, name)).catch(() => null)));
    if (sizes.reduce((sum, each) => sum + (each?.size ?? 0), 0) > MOST_FETCHED_BYTES) {
      over.abort(
        new HitchError(
          'TOO_LARGE',
          `The repository sends more than ${MOST_FETCHED_BYTES / 1024 / 1024} MB.`,
          {
            next: 'Templates are shared from a small repository; keep models and data in another.',
          },
        ),
      );
    } else if (clock.monotonic() - from > LONGEST_MS) {
      over.abort(
        new HitchError('UNREACHABLE', 'The repository has not sent the template in five minutes.', {
          next: 'Try again on a faster connection, or from a smaller repository.',
        }),
      );
    }
    await clock.sleep(LOOK_MS, over.signal).catch(() => undefined);
  }
}
