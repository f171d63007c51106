/** What a copy is to do: which sides, which roots, where each goes, and which rules hold. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { type Conflict, type copyRequestSchema, cutText, HitchError, workPathSchema } from '@hitch/contract';
import {
  type CopyPlan,
  FETCH_RULES,
  SEND_RULES,
  type Source,
  type Target,
  type WalkRules,
  withoutRules,
} from '@hitch/transfer';
import type * as z from 'zod';
import { chosenFolder, localPath } from './local-paths.ts';

export type Request = z.output<typeof copyRequestSchema>;
export type Planned = Omit<CopyPlan, 'stamp' | 'spareBytes'>;

/** The two ends of one copy. */
export interface Sides {
  readonly machine: Source & { asTarget(): Target };
  readonly disk: {
    source(confinedTo: string | null): Source;
    target(base: string, throughLinks: boolean, ownList?: string | null): Target;
    close(): Promise<void>;
  };
}

export interface PlannedCopy {
  readonly planned: Planned;
  /** As it is shown. */
  readonly target: string;
  /** What it writes to, for copies that take turns. */
  readonly places: readonly string[];
}

/** @throws HitchError BAD_INPUT for a path that the client may not name. */
export const planCopy = (request: Request, localRoot: string | null, sides: Sides): Promise<PlannedCopy> =>
  request.direction === 'send' ? planSend(request, localRoot, sides) : planFetch(request, localRoot, sides);

async function planSend(
  request: Request,
  localRoot: string | null,
  { machine, disk }: Sides,
): Promise<PlannedCopy> {
  const target = workPath(request.target, 'target');
  const roots = await Promise.all(request.sources.map(path => localPath(path, localRoot)));
  const to = roots.map(root => (request.intoFolder ? joined(target, basename(root)) : target));
  return {
    target,
    places: to.map(path => joined(request.clusterId, path)),
    planned: {
      source: disk.source(null),
      target: machine.asTarget(),
      roots,
      to,
      rules: rulesOf(SEND_RULES, request.all),
      conflict: conflictOf(request),
      missing: root =>
        new HitchError('NOT_FOUND', `There is no file or folder ${root} on this computer.`, {
          field: 'sources',
        }),
    },
  };
}

async function planFetch(
  request: Request,
  localRoot: string | null,
  { machine, disk }: Sides,
): Promise<PlannedCopy> {
  const target = await localPath(request.target, localRoot);
  const roots = request.sources.map(path => workPath(path, 'sources'));
  const whole = request.intoFolder || roots.includes('');
  const base = await chosenFolder(whole ? target : dirname(target));
  const to = roots.map(root => (whole ? (root.split('/').at(-1) ?? '') : basename(target)));
  return {
    target,
    places: to.map(path => `local ${(path === '' ? base : join(base, path)).split(sep).join('/')}`),
    planned: {
      source: machine,
      target: disk.target(base, false),
      roots,
      to,
      rules: rulesOf(FETCH_RULES, request.all),
      conflict: conflictOf(request),
      missing: root =>
        new HitchError('NOT_FOUND', `There is no ${root} in the work folder.`, { field: 'sources' }),
    },
  };
}

/**
 * @param folder absolute; made when it is not there.
 * @param ownList where it is kept what the saves of this run have put there.
 * @throws HitchError STORAGE_FULL where nothing may be written.
 */
export async function planSave(
  paths: readonly string[],
  folder: string,
  ownList: string,
  { machine, disk }: Sides,
): Promise<Planned> {
  const roots = paths.map(path => workPath(path, 'paths'));
  const base = await chosenFolder(folder);
  await checkWritable(base);
  return {
    source: machine,
    target: disk.target(base, false, ownList),
    roots,
    to: roots,
    rules: FETCH_RULES,
    conflict: 'keep-both',
  };
}

/** A folder that is not there yet is made later. */
async function checkWritable(folder: string): Promise<void> {
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new HitchError('STORAGE_FULL', `Nothing may be written to ${folder}.`, {
        next: 'Allow yourself to write to it.',
        cause,
      });
    }
  }
}

function workPath(path: string, field: string): string {
  const parsed = workPathSchema.safeParse(path);
  if (!parsed.success) {
    throw new HitchError(
      'BAD_INPUT',
      `The path “${cutText(path, 200)}” ${parsed.error.issues[0]?.message ?? 'is not valid'}.`,
      { field },
    );
  }
  return path
    .split('/')
    .filter(name => name !== '' && name !== '.')
    .join('/');
}

const joined = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);
const rulesOf = (rules: WalkRules, all: boolean): WalkRules => (all ? withoutRules(rules) : rules);
const conflictOf = ({ conflict }: Request): Conflict | null => (conflict === 'ask' ? null : conflict);
