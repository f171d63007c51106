/** The repository of the person's own that a template is published from, by their git as they have set it up. */
import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { cutText, HitchError } from '@hitch/contract';
import { checkTemplate } from '@hitch/contract/src/templates/check.ts';
import type { Template } from '@hitch/contract/src/templates/schema.ts';
import { runCommand } from '../../machines/python.ts';

export interface OwnRepository {
  readonly root: string;
  /** Of the template in it, with `/`; '': all of it. */
  readonly path: string;
}

const never = new AbortController().signal;

/** @throws HitchError BAD_INPUT with what git says. */
async function git(folder: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand('git', ['-C', folder, ...args], never, {});
  if (code !== 0) {
    throw new HitchError('BAD_INPUT', `git ${args[0] ?? ''}: ${cutText(stderr.trim(), 400)}`);
  }
  return stdout;
}

/** Null where the folder is in no repository. */
export async function repositoryOf(folder: string): Promise<OwnRepository | null> {
  try {
    const root = (await git(folder, ['rev-parse', '--show-toplevel'])).trim();
    const inside = relative(await realpath(root), await realpath(folder));
    return { root, path: inside.split(sep).join('/') };
  } catch {
    return null;
  }
}

/** `v1.2.0`, and with the template's name before it where a repository may have several. */
export const tagOf = (
  { path }: OwnRepository,
  { name, version }: Pick<Template, 'name' | 'version'>,
): string => (path === '' ? `v${version}` : `${name}-v${version}`);

/**
 * Everybody reads the template from what is committed, byte by byte.
 * @returns the files that are another there, or are not there.
 */
export async function notCommitted(
  { root, path }: OwnRepository,
  files: readonly { readonly path: string }[],
): Promise<readonly string[]> {
  const listed = await git(root, [
    'ls-tree',
    '-r',
    '-z',
    '--full-tree',
    path === '' ? 'HEAD' : `HEAD:${path}`,
  ]).catch(() => '');
  const committed = new Map(
    listed
      .split('\0')
      .filter(line => line !== '')
      .map(line => [line.slice(line.indexOf('\t') + 1), line.split(/[ \t]/)[2] ?? ''] as const),
  );
  const others: string[] = [];
  for (const { path: file } of files) {
    const content = await readFile(join(root, path, file));
    const id = createHash('sha1').update(`blob ${content.length.toString()}\0`).update(content).digest('hex');
    if (committed.get(file) !== id) {
      others.push(file);
    }
  }
  return others;
}

/** Commits one file alone, whatever else is staged. */
export async function commitFile(
  { root, path }: OwnRepository,
  file: string,
  message: string,
): Promise<void> {
  const place = path === '' ? file : `${path}/${file}`;
  await git(root, ['add', '--', place]);
  await git(root, ['commit', '--quiet', '--only', '-m', message, '--', place]);
}

const NUMBERS = /(\d+)\.(\d+)\.(\d+)(?:-|$)/;
const weight = (version: string): readonly number[] => (NUMBERS.exec(version) ?? []).slice(1, 4).map(Number);

export const isNewer = (one: string, other: string): boolean => {
  const [a, b] = [weight(one), weight(other)];
  const at = a.findIndex((number, index) => number !== b[index]);
  return at >= 0 && (a[at] ?? 0) > (b[at] ?? 0);
};

/** The newest version that has a tag, as its file said then; null: none has. */
export async function lastPublished(
  repository: OwnRepository,
  name: string,
): Promise<{ readonly tag: string; readonly template: Template } | null> {
  const { root, path } = repository;
  const prefix = tagOf(repository, { name, version: '' });
  const tags = (await git(root, ['tag', '--list', `${prefix}*`]))
    .split('\n')
    .filter(tag => /^\d+\.\d+\.\d+$/.test(tag.slice(prefix.length)));
  const [tag] = [...tags].sort((one, other) =>
    isNewer(one.slice(prefix.length), other.slice(prefix.length)) ? -1 : 1,
  );
  if (tag === undefined) {
    return null;
  }
  const text = await git(root, ['show', `${tag}:${path === '' ? '' : `${path}/`}hitch.yaml`]).catch(() => '');
  const { template } = checkTemplate(text, { names: null, hitch: null });
  return template === null ? null : { tag, template };
}

export const hasTag = async ({ root }: OwnRepository, tag: string): Promise<boolean> =>
  (await git(root, ['tag', '--list', tag])).trim() !== '';

export async function makeTag({ root }: OwnRepository, tag: string, message: string): Promise<void> {
  await git(root, ['tag', '--annotate', '-m', message, '--', tag]);
}

/** The branch that is checked out and the tag, together or not at all. */
export async function push({ root }: OwnRepository, tag: string): Promise<void> {
  await git(root, ['push', '--atomic', '--quiet', 'origin', 'HEAD', `refs/tags/${tag}`]);
}

/** What others add it by; null: it has no address that others could read. */
export async function sourceFor({ root, path }: OwnRepository, tag: string): Promise<string | null> {
  const url = (await git(root, ['remote', 'get-url', 'origin']).catch(() => '')).trim();
  const [, user, host, place] = /^([\w.-]+)@([\w.-]+):(?!\/\/)(.+)$/.exec(url) ?? [];
  const whole = host === undefined ? url : `ssh://${user ?? ''}@${host}/${place ?? ''}`;
  return /^(?:https|ssh):\/\//.test(whole) ? `git+${whole}#${tag}${path === '' ? '' : `:${path}`}` : null;
}
