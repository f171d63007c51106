/**
 * Programs that know nothing of Hitch, at a cluster's address with its token: they get its kernels, sessions, kernelspecs and
 * files as a Jupyter server gives them, in whatever way Jupyter takes a token.
 */
import type { IncomingMessage } from 'node:http';
import type { ClusterId } from '@hitch/contract';
import type { ClusterUrls } from '../access/cluster-urls.ts';

/** A cluster's Jupyter, and what of it: no terminals, no API of Hitch's. */
const PLACE = /^\/clusters\/([^/]+)\/jupyter(\/api(?:\/.*)?)$/;
const KERNEL = /^(\/api\/kernels\/)([^/]+)/;
/** Jupyter's own words in this header (`IdentityProvider.auth_header_pat` in jupyter_server/auth/identity.py). */
const AUTHORIZATION = /^(?:token|bearer)\s+(.+)$/i;

/**
 * The cluster that a request opens by its token; then its address and its headers become those of Hitch's own clients.
 * @returns null, and nothing is changed, where it is no such program's
 */
export function byClusterUrl(
  request: IncomingMessage,
  url: URL,
  urls: Pick<ClusterUrls, 'opened'>,
): ClusterId | null {
  const [, place = '', path = ''] = PLACE.exec(url.pathname) ?? [];
  const given = AUTHORIZATION.exec(request.headers.authorization ?? '')?.[1] ?? url.searchParams.get('token');
  const clusterId = place === '' || given === null ? null : urls.opened(given.trim());
  if (clusterId === null || clusterId.toLowerCase() !== place.toLowerCase()) {
    return null;
  }
  const query = new URLSearchParams(url.searchParams);
  query.delete('token');
  // Jupyter's ids are written in small letters, and some programs have them in others.
  const own = path.replace(KERNEL, (_, before: string, id: string) => before + id.toLowerCase());
  request.url = `/clusters/${clusterId}/jupyter${own}${query.size === 0 ? '' : `?${query.toString()}`}`;
  if (request.headers['content-type'] !== undefined || request.method !== 'GET') {
    // Jupyter reads every body as JSON, whatever it is called; only pages need to be kept from that, and they have no token.
    request.headers['content-type'] = 'application/json';
  }
  return clusterId;
}
