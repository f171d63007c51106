/** The two ends of a copy as they are typed. */
import { clusterIdSchema, clusterNameSchema, HitchError, workPathSchema } from '@hitch/contract';

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
