/** The way to the daemon: this Jupyter server's own routes, with the credentials that JupyterLab itself uses. */
import { errorEnvelopeSchema, HitchClient, HitchError } from '@hitch/contract';
import { ServerConnection } from '@jupyterlab/services';
import { URLExt } from '@jupyterlab/coreutils';

/** Below the Jupyter server's base URL; `/api` and `/clusters` follow. */
export const BRIDGE = 'hitch';

export const bridgeUrl = (settings: ServerConnection.ISettings): string =>
  URLExt.join(settings.baseUrl, BRIDGE);

/** A server without the bridge answers in Jupyter's own way. */
async function explain(response: Response): Promise<HitchError | null> {
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  if (errorEnvelopeSchema.safeParse(body).success) {
    return null;
  }
  switch (response.status) {
    case 404:
      return new HitchError('UNREACHABLE', 'The Hitch extension of this Jupyter server is not running.', {
        next: 'Run “jupyter server extension enable jupyterlab_hitch” where JupyterLab runs, then restart it.',
      });
    case 401:
    case 403:
      return new HitchError('UNAUTHORIZED', 'This Jupyter server no longer accepts your login.', {
        next: 'Reload the page and log in.',
      });
    default:
      return response.status >= 500
        ? new HitchError('UNREACHABLE', `This Jupyter server cannot reach Hitch (HTTP ${response.status}).`)
        : null;
  }
}

/** As `fetch`, through JupyterLab's own way of asking its server: cookies, XSRF token, token. */
export function bridgeFetch(settings: ServerConnection.ISettings): (request: Request) => Promise<Response> {
  return async request => {
    const headers = new Headers(request.headers);
    // The bearer of the daemon is the bridge's business, and the page has none.
    headers.delete('authorization');
    const bodiless = request.method === 'GET' || request.method === 'HEAD';
    const response = await ServerConnection.makeRequest(
      request.url,
      {
        method: request.method,
        headers,
        signal: request.signal,
        ...(bodiless ? {} : { body: await request.arrayBuffer() }),
      },
      settings,
    );
    const problem = response.ok ? null : await explain(response);
    if (problem !== null) {
      throw problem;
    }
    return response;
  };
}

export function bridgeClient(settings: ServerConnection.ISettings): HitchClient {
  return new HitchClient({
    baseUrl: bridgeUrl(settings).replace(/\/$/, ''),
    token: () => '',
    clientId: 'jupyterlab',
    fetch: bridgeFetch(settings),
  });
}
