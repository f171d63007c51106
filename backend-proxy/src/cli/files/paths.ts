/** The two ends of a copy, and paths that a stranger's machine may not choose. */
import { clusterIdSchema, clusterNameSchema, HitchError, workPathSchema } from '@hitch/contract';
import { isAbsolute, join, relative, sep } from 'node:path';

export type Endpoint =
  | { readonly kind: 'local'; readonly path: string }
  | {
      readonly kind: 'remote';
      readonly cluster: string;
      readonly path: string;
      readonly intoFolder: boolean;
    };

/**
 * `llm-dev:data/x.csv` is on a cluster; everything else is here. A drive letter has one letter, a cluster's name two
 * or more, so `C:\data` is never mistaken. `./a:b` is a local file with a colon.
 */
export function parseEndpoint(text: string): Endpoint {
  const colon = text.indexOf(':');
  const before = text.slice(0, colon);
  const named = clusterNameSchema.safeParse(before).success || clusterIdSchema.safeParse(before).success;
  if (colon < 0 || !named) {
    return { kind: 'local', path: text };
  }
  const typed = text.slice(colon + 1);
  const path = typed.replace(/^\.\//, '').replace(/\/+$/, '').replace(/^\.$/, '');
  const checked = workPathSchema.safeParse(path);
  if (!checked.success) {
    throw new HitchError(
      'BAD_INPUT',
      `${text}: the path on the cluster ${checked.error.issues[0]?.message ?? 'is not valid'}.`,
      {
        field: 'path',
        next: `Write it like ${before}:data/train.csv, from the work folder on.`,
      },
    );
  }
  return {
    kind: 'remote',
    cluster: before,
    path: checked.data,
    intoFolder: path === '' || typed.endsWith('/'),
  };
}

/** Joins paths of a work folder; '' is the folder itself. */
export const joinWork = (...parts: string[]): string => parts.filter(part => part !== '').join('/');

export const baseOf = (path: string): string =>
  path
    .split('/')
    .filter(part => part !== '')
    .at(-1) ?? '';

const WINDOWS_NAMES = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * Where a file named by the cluster goes below `root`.
 * @throws HitchError when its name would lead anywhere else.
 */
export function safeLocalPath(
  root: string,
  path: string,
  platform: NodeJS.Platform = process.platform,
): string {
  const segments = path.split('/');
  const bad = segments.some(
    segment =>
      segment === '' ||
      segment === '.' ||
      segment === '..' ||
      segment.includes('\0') ||
      (platform === 'win32' && (/[\\:*?"<>|]/.test(segment) || WINDOWS_NAMES.test(segment))),
  );
  const target = join(root, ...segments);
  const inside = relative(root, target);
  if (bad || isAbsolute(inside) || inside === '..' || inside.startsWith(`..${sep}`)) {
    throw new HitchError(
      'BAD_INPUT',
      `The cluster names a file "${path.slice(0, 80)}" that cannot be written here.`,
      {
        next: 'Rename it on the cluster, or copy the others by name.',
      },
    );
  }
  return target;
}
