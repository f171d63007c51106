/** The addresses of remote windows: `vscode-remote://ssh-remote+<host>/<folder>`. */
import { readSshAlias } from '@hitch/contract/src/ssh-alias.ts';
import * as z from 'zod';

const SCHEME = 'ssh-remote+';
/** Made when it is needed: every window that starts loads this file. */
const encodedSchema = () => z.object({ hostName: z.string() });

/** Percent signs and the like in a folder's name are encoded; slashes are not. */
export const workspaceAddress = (alias: string, folder: string): string =>
  `vscode-remote://${SCHEME}${alias}${folder.split('/').map(encodeURIComponent).join('/')}`;

/** The host of a remote window; null for a window that is none, or of another kind. */
export function hostOf(authority: string): string | null {
  if (!authority.startsWith(SCHEME)) {
    return null;
  }
  const rest = authority.slice(SCHEME.length);
  // Editors write hosts that they cannot write plainly as JSON in hexadecimal digits.
  if (/^(?:[0-9a-f]{2})+$/i.test(rest)) {
    try {
      return encodedSchema().parse(JSON.parse(Buffer.from(rest, 'hex').toString('utf8'))).hostName;
    } catch {
      // A host whose name happens to look like that.
    }
  }
  return rest;
}

/** The cluster that a window stands on; null where it is not one of ours. */
export function clusterOfAuthority(authority: string): string | null {
  const host = hostOf(authority);
  return host === null ? null : (readSshAlias(host)?.clusterName ?? null);
}

/**
 * The cluster that a window which is just coming up wants to reach; '' where it may be one of ours but does not say so
 * yet, null where nothing has to be woken.
 */
export function wantedCluster(remoteName: string | undefined, authorities: readonly string[]): string | null {
  const named = authorities.map(clusterOfAuthority).find(name => name !== null);
  if (named !== undefined) {
    return named;
  }
  return remoteName === 'ssh-remote' && authorities.length === 0 ? '' : null;
}
