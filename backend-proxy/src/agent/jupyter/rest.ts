/** Which of Jupyter Server's REST paths may be reached through the agent: data, never a page. */
import type { IncomingMessage } from 'node:http';
import { HitchError } from '@hitch/contract';

const ALLOWED = /^\/api(?:\/(?:(?:kernels|sessions|kernelspecs|contents)(?:\/.*)?|status|me)?)?$/;

/**
 * The path to ask Jupyter for, with the caller's query less its `token`.
 * @throws HitchError NOT_FOUND for every other path.
 */
export function jupyterPath(url: URL): string {
  const path = url.pathname.replace(/^\/jupyter/, '');
  const isSocket = path.endsWith('/channels');
  if (!ALLOWED.test(path) || isSocket || hasDotSegments(path)) {
    throw new HitchError('NOT_FOUND', `The agent does not pass ${path} on to Jupyter Server.`);
  }
  const query = new URLSearchParams(url.search);
  query.delete('token');
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

/** Encoded ones too: Jupyter decodes before it routes. */
function hasDotSegments(path: string): boolean {
  try {
    return decodeURIComponent(path)
      .split('/')
      .some(segment => segment === '..' || segment === '.');
  } catch {
    return true;
  }
}

/** A stranger's HTML must not come out of here, whatever its status. */
export function checkIsJson(answer: IncomingMessage): void {
  const type = answer.headers['content-type'] ?? '';
  const isEmpty =
    answer.statusCode === 204 || answer.statusCode === 304 || answer.headers['content-length'] === '0';
  if (!isEmpty && !/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) {
    throw new HitchError('NOT_FOUND', 'Jupyter Server answered with something other than JSON.');
  }
}
