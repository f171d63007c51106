/** Checks a template's folder: its file, its locks, and every other file in it. */
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkTemplate } from '@hitch/contract/src/templates/check.ts';
import {
  ceilingNote,
  lockProblems,
  readLock,
  type DriverCeiling,
  type Locks,
} from '@hitch/contract/src/templates/lock.ts';
import { trainsWithRay } from '@hitch/contract/src/templates/ray-storage.ts';
import { sortedProblems, type TemplateProblem } from '@hitch/contract/src/templates/problem.ts';
import { ACCELERATORS, TEMPLATE_FILE, type Template } from '@hitch/contract/src/templates/schema.ts';
import { entriesAt, textAt } from '@hitch/contract/src/templates/values.ts';
import { readYaml } from '@hitch/contract/src/templates/yaml-file.ts';
import type { TemplateCheck } from '@hitch/contract/src/templates/wire.ts';
import type { OfferFilter } from '@hitch/contract';
import { filterOf } from './template-words.ts';
import { listFolder, readFolder, type ListedFolder } from './folder.ts';

export interface CheckedFolder {
  /** Null where there are problems. */
  readonly template: Template | null;
  readonly locks: Locks;
  /** A program in it trains with Ray Train. */
  readonly usesRayTrain: boolean;
  readonly listed: ListedFolder;
  /** The SHA-256 of each file, by its path; none where the folder cannot be a template's. */
  readonly hashes: ReadonlyMap<string, string>;
  readonly check: TemplateCheck;
}

export interface FolderCheckOptions {
  readonly hitch: string | null;
  /** What is on offer for a machine that the template asks for, for the note on drivers. */
  readonly offers: (wanted: OfferFilter) => readonly DriverCeiling[];
  /** Its file is this one instead of `hitch.yaml`, such as one that an editor has not saved yet. */
  readonly text?: string;
  /** The name of its file where it is not `hitch.yaml`. */
  readonly fileName?: string;
}

/** @throws HitchError NOT_FOUND without such a folder, CONFLICT where it changes meanwhile. */
export async function checkFolder(folder: string, options: FolderCheckOptions): Promise<CheckedFolder> {
  const { hitch, offers, text, fileName = TEMPLATE_FILE } = options;
  const listed = await listFolder(folder);
  const names = new Set(listed.files.map(({ path }) => path));
  const source = text ?? (await plainFile(join(folder, fileName)));
  if (source === null) {
    const sentence = `There is no ${fileName} in ${folder}. Write one with hitch template init.`;
    const problems = [{ file: fileName, line: null, column: null, sentence }];
    return {
      template: null,
      locks: {},
      usesRayTrain: false,
      listed,
      hashes: new Map(),
      check: answer(folder, listed, { problems, notes: [], digest: null }),
    };
  }
  const usesRayTrain = await trainsWithRayIn(folder, listed);
  const { template, problems } = checkTemplate(source, { names, usesRayTrain, hitch });
  const { locks, problems: wrongLocks } = await locksOf(folder, source, names);
  const {
    digest,
    hashes,
    problems: tokens,
  } = listed.problems.length === 0
    ? await readFolder(folder, listed.files)
    : { digest: null, hashes: new Map<string, string>(), problems: [] };
  const wanted = template?.resources.find(({ gpu }) => gpu !== undefined);
  const note = wanted === undefined ? null : ceilingNote(offers(filterOf(wanted)), locks);
  const all = [...problems, ...wrongLocks, ...listed.problems, ...tokens];
  return {
    template: all.length === 0 ? template : null,
    locks,
    usesRayTrain,
    listed,
    hashes,
    check: answer(folder, listed, { problems: all, notes: note === null ? [] : [note], digest }),
  };
}

/** Longer programs are nobody's own, and are not read through. */
const LONGEST_PROGRAM_BYTES = 1024 * 1024;

async function trainsWithRayIn(folder: string, { files }: ListedFolder): Promise<boolean> {
  for (const { path, bytes } of files) {
    if (path.endsWith('.py') && bytes <= LONGEST_PROGRAM_BYTES) {
      const text = await plainFile(join(folder, path));
      if (text !== null && trainsWithRay(text.toString('utf8'))) {
        return true;
      }
    }
  }
  return false;
}

/** Null where there is none; what a link leads to is not read. */
async function plainFile(path: string): Promise<Buffer | null> {
  const found = await lstat(path).catch(() => null);
  return found?.isFile() === true ? readFile(path) : null;
}

const answer = (
  folder: string,
  { files, bytes }: ListedFolder,
  {
    problems,
    notes,
    digest,
  }: Pick<TemplateCheck, 'notes' | 'digest'> & { problems: readonly TemplateProblem[] },
): TemplateCheck => ({
  folder,
  problems: [...sortedProblems(problems)],
  notes,
  digest,
  files: files.length,
  bytes,
});

/** Locks are judged beside a file that has other mistakes: what it says of Python, engine and notebook is taken as it is. */
async function locksOf(
  folder: string,
  source: Uint8Array | string,
  names: ReadonlySet<string>,
): Promise<{ readonly locks: Locks; readonly problems: readonly TemplateProblem[] }> {
  const read = readYaml(source);
  const data = read.ok ? read.file.data : null;
  const python = textAt(data, ['environment', 'python']);
  const problems: TemplateProblem[] = [];
  const locks: { -readonly [Key in keyof Locks]: Locks[Key] } = {};
  for (const [accelerator, file] of entriesAt(data, ['environment', 'locks'])) {
    const known = ACCELERATORS.find(each => each === accelerator);
    if (known === undefined || typeof file !== 'string' || !names.has(file)) {
      continue;
    }
    const { lock, problems: wrong } = readLock(file, await readFile(join(folder, file), 'utf8'));
    locks[known] = lock;
    problems.push(
      ...wrong,
      ...(wrong.length > 0 || python === undefined
        ? []
        : lockProblems(lock, {
            accelerator: known,
            python,
            needsRay: textAt(data, ['cluster', 'engine']) === 'ray',
            notebook: textAt(data, ['notebook']) ?? null,
          })),
    );
  }
  return { locks, problems };
}
