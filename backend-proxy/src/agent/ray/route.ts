/** `/ray/…`: this head's dashboard API, with Ray's own token in place of the caller's. */
import { HitchError } from '@hitch/contract';
import { passRequest, passUpgrade } from '../http/pass.ts';
import type { Route, UpgradeRoute } from '../http/server.ts';
import type { Upstream } from '../http/upstream.ts';
import type { RayEngine } from './ray.ts';

function head(ray: RayEngine): Upstream {
  const dashboard = ray.dashboard;
  if (dashboard === null) {
    throw new HitchError(
      'NOT_FOUND',
      "This node has no Ray head; its dashboard is on the cluster's first node.",
    );
  }
  return dashboard.upstream;
}

const pathOf = (url: URL): string => `${url.pathname.slice('/ray'.length)}${url.search}`;

export function rayRoute(ray: RayEngine): Route {
  return async (url, request, response) => {
    if (!url.pathname.startsWith('/ray/')) {
      return false;
    }
    await passRequest(head(ray), pathOf(url), request, response);
    return true;
  };
}

export function rayUpgrade(ray: RayEngine): UpgradeRoute {
  return (url, request, socket, first) => {
    if (!url.pathname.startsWith('/ray/')) {
      return Promise.resolve(false);
    }
    passUpgrade(head(ray), pathOf(url), request, socket, first);
    return Promise.resolve(true);
  };
}
