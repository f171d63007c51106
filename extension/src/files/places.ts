/** How a file on a cluster is named: `hitch://<cluster id>/<path in its work folder>`. */
import type { Cluster } from '@hitch/contract';

export const SCHEME = 'hitch';

/** Editors write an authority in lower case, and an id reads the same in either. */
export const authorityOf = ({ id }: Pick<Cluster, 'id'>): string => id.toLowerCase();

export const clusterAt = (authority: string, clusters: readonly Cluster[] | null): Cluster | undefined =>
  clusters?.find(cluster => authorityOf(cluster) === authority.toLowerCase());

/** `data/x.csv` of `/data/x.csv`; '' is the work folder itself. */
export const workPathOf = (uriPath: string): string =>
  uriPath
    .split('/')
    .filter(name => name !== '')
    .join('/');

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
export const joinPath = (...parts: readonly string[]): string => parts.filter(part => part !== '').join('/');
/** Whether a work path is this folder or lies in it. */
export const isIn = (path: string, folder: string): boolean =>
  folder === '' || path === folder || path.startsWith(`${folder}/`);
