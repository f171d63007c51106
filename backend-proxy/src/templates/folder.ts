/**
 * A template's folder as it may be used and shared: plain files alone, under names that every system can have, few and small
 * enough to go to a machine with each run. Its digest names all of it.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HitchError } from '@hitch/contract';
import type { TemplateProblem } from '@hitch/contract/src/templates/problem.ts';
import { tokenIn } from '@hitch/contract/src/templates/tokens.ts';
import { ignoresOf } from '@hitch/transfer';

export const MOST_FILES = 2000;
export const MOST_BYTES = 50 * 1024 * 1024;
/** In larger files nobody looks for a token that was pasted by mistake. */
const MOST_SEARCHED_BYTES = 1024 * 1024;
/** What tools make anew, and what is no part of a template wherever it lies. */
const LEFT_OUT = new Set(['.git', '__pycache__', '.ipynb_checkpoints', '.DS_Store', 'node_modules', '.venv']);
export const IGNORE_FILE = '.hitchignore';
/** Beside `hitch.yaml`. It signs the digest, and so cannot be covered by it. */
export const SIGNATURE_FILE = 'hitch.sig';

export interface FolderFile {
  /** Inside the folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
  readonly executable: boolean;
}

export interface ListedFolder {
  /** By path. */
  readonly files: readonly FolderFile[];
  readonly bytes: number;
  readonly problems: readonly TemplateProblem[];
}

const problem = (file: string, sentence: string): TemplateProblem => ({
  file,
  line: null,
  column: null,
  sentence,
});

/** Lists a folder without following anything. @throws HitchError NOT_FOUND where there is no such folder. */
export async function listFolder(root: string): Promise<ListedFolder> {
  const ignore = await ignoreRules(root);
  const files: FolderFile[] = [];
  const problems: TemplateProblem[] = [];
  let seen = 0;
  const open = [''];
  for (let below = open.pop(); below !== undefined; below = open.pop()) {
    for (const entry of await entriesOf(root, below)) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (
        LEFT_OUT.has(entry.name) ||
        path === SIGNATURE_FILE ||
        ignore?.(entry.isDirectory() ? `${path}/` : path) === true
      ) {
        continue;
      }
      seen += 1;
      if (seen > MOST_FILES) {
        problems.push(
          problem(
            '',
            `The folder has more than ${MOST_FILES.toLocaleString('en-US')} files. Keep data elsewhere, or name what is no part of it in ${IGNORE_FILE}.`,
          ),
        );
        return { files, bytes: total(files), problems };
      }
      const name = nameProblem(entry.name);
      if (name !== null) {
        problems.push(problem(path, name));
      } else if (entry.isSymbolicLink()) {
        problems.push(
          problem(path, 'is a link; a template holds files and folders alone. Put the file itself here.'),
        );
      } else if (entry.isDirectory()) {
        open.push(path);
      } else if (!entry.isFile()) {
        problems.push(problem(path, 'is no file: a pipe, a socket or a device. Take it out.'));
      } else {
        const { size, mode } = await lstat(join(root, path));
        if ((mode & 0o6000) !== 0) {
          problems.push(problem(path, 'runs as another user (set-uid); take that off with chmod u-s,g-s.'));
        }
        files.push({ path, bytes: size, executable: (mode & 0o100) !== 0 });
      }
    }
  }
  files.sort((one, other) => (one.path < other.path ? -1 : 1));
  const bytes = total(files);
  if (bytes > MOST_BYTES) {
    const [largest] = [...files].sort((one, other) => other.bytes - one.bytes);
    problems.push(
      problem(
        '',
        `The folder has ${Math.ceil(bytes / 1024 / 1024)} MB, and may have ${MOST_BYTES / 1024 / 1024}; the largest is ${largest?.path ?? ''}. Keep data elsewhere, or name what is no part of it in ${IGNORE_FILE}.`,
      ),
    );
  }
  problems.push(...collisions(files));
  return { files, bytes, problems };
}

const total = (files: readonly FolderFile[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

async function entriesOf(root: string, below: string) {
  try {
    return (await readdir(join(root, below), { withFileTypes: true })).sort((one, other) =>
      one.name < other.name ? -1 : 1,
    );
  } catch (error) {
    throw new HitchError('NOT_FOUND', `The folder ${join(root, below)} cannot be read.`, {
      next: 'Name a folder with a hitch.yaml in it.',
      cause: error,
    });
  }
}

async function ignoreRules(root: string): Promise<((path: string) => boolean) | null> {
  const text = await readFile(join(root, IGNORE_FILE), 'utf8').catch(() => null);
  return text === null ? null : ignoresOf(text);
}

const WINDOWS_NAMES = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;
// Control characters, and what Windows refuses in names.
const WINDOWS_CHARACTERS = new RegExp('[<>:"|?*\\\\\\u0000-\\u001F]');

/** Why a name cannot be one on every system that a template may come to. */
export function nameProblem(name: string): string | null {
  if (name.includes('\uFFFD')) {
    return 'has a name that is no UTF-8; rename it.';
  }
  if (WINDOWS_NAMES.test(name) || WINDOWS_CHARACTERS.test(name) || /[. ]$/.test(name)) {
    return 'has a name that Windows does not allow; rename it.';
  }
  return name.length > 200 ? 'has a name of more than 200 characters; rename it.' : null;
}

/** Names that are one on systems which do not tell large letters from small, or ways to write an accent. */
export function collisions(files: readonly Pick<FolderFile, 'path'>[]): readonly TemplateProblem[] {
  const known = new Map<string, string>();
  return files.flatMap(({ path }) => {
    const folded = path.normalize('NFC').toLowerCase();
    const other = known.get(folded);
    known.set(folded, path);
    return other === undefined
      ? []
      : [problem(path, `is one file with ${other} on Windows and macOS; rename one of them.`)];
  });
}

export interface ReadFolder {
  /** `sha256:…` over `hitch-folder/1` and a line for each file, by path: its SHA-256, its size, its path. */
  readonly digest: string;
  /** The SHA-256 of each file, by its path. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Tokens in its text files, which would go to every machine and everybody that it is shared with. */
  readonly problems: readonly TemplateProblem[];
}

/** Reads every file once. @throws HitchError CONFLICT where a file changed or went meanwhile. */
export async function readFolder(root: string, files: readonly FolderFile[]): Promise<ReadFolder> {
  const problems: TemplateProblem[] = [];
  const hash = createHash('sha256').update('hitch-folder/1\n');
  const hashes = new Map<string, string>();
  for (const { path, bytes } of files) {
    const content = await contentOf(root, path, bytes);
    const own = createHash('sha256').update(content).digest('hex');
    hashes.set(path, own);
    hash.update(`${own} ${content.length} ${path}\n`);
    // What is wrong in hitch.yaml itself is said by its own check.
    if (path !== 'hitch.yaml' && content.length <= MOST_SEARCHED_BYTES && !content.includes(0)) {
      const text = content.toString('utf8');
      const found = tokenIn(text);
      if (found !== null) {
        const before = text.slice(0, found.index).split('\n');
        problems.push({
          file: path,
          line: before.length,
          column: (before.at(-1) ?? '').length + 1,
          sentence: `This looks like ${found.what}. A template holds no secret: name it under “secrets” and store its value with hitch secrets set NAME.`,
        });
      }
    }
  }
  return { digest: `sha256:${hash.digest('hex')}`, hashes, problems };
}

/** Windows has no O_NOFOLLOW; what was listed as a file is opened there as it is. */
const READ = constants.O_RDONLY | ((constants as { O_NOFOLLOW?: number }).O_NOFOLLOW ?? 0);

async function contentOf(root: string, path: string, bytes: number): Promise<Buffer> {
  try {
    const file = await open(join(root, path), READ);
    try {
      const content = await file.readFile();
      if (content.length !== bytes) {
        throw new Error(`it has ${content.length} bytes and had ${bytes}`);
      }
      return content;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new HitchError('CONFLICT', `${path} changed while the template was read, or cannot be read.`, {
      next: 'Save what is open and try again.',
      cause: error,
    });
  }
}
