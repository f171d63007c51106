/** What Vast can be asked, by method and path (`api-reference/openapi`, and the calls of `vastai` 1.9.1). */
import type { SimRequest } from '../frame/simulator.ts';

const ROUTES = [
  ['search', 'POST', /^\/api\/v0\/bundles\/$/],
  ['search', 'PUT', /^\/api\/v0\/search\/asks\/$/],
  ['create', 'PUT', /^\/api\/v0\/asks\/([0-9]+)\/$/],
  ['get', 'GET', /^\/api\/v0\/instances\/([0-9]+)\/$/],
  ['list', 'GET', /^\/api\/v1\/instances\/$/],
  ['old-list', 'GET', /^\/api\/v0\/instances\/$/],
  ['filters', 'GET', /^\/api\/v0\/instances\/filters\/$/],
  ['manage', 'PUT', /^\/api\/v0\/instances\/([0-9]+)\/$/],
  ['reboot', 'PUT', /^\/api\/v0\/instances\/reboot\/([0-9]+)\/$/],
  ['destroy', 'DELETE', /^\/api\/v0\/instances\/([0-9]+)\/$/],
  ['change-bid', 'PUT', /^\/api\/v0\/instances\/bid_price\/([0-9]+)\/$/],
  ['attach-key', 'POST', /^\/api\/v0\/instances\/([0-9]+)\/ssh\/$/],
  ['keys', 'GET', /^\/api\/v0\/instances\/([0-9]+)\/ssh\/$/],
  ['detach-key', 'DELETE', /^\/api\/v0\/instances\/([0-9]+)\/ssh\/([^/]+)\/$/],
  ['account-keys', 'GET', /^\/api\/v0\/ssh\/$/],
  ['add-account-key', 'POST', /^\/api\/v0\/ssh\/$/],
  ['remove-account-key', 'DELETE', /^\/api\/v0\/ssh\/([0-9]+)\/$/],
  ['charges', 'GET', /^\/api\/v0\/charges\/$/],
  ['user', 'GET', /^\/api\/v0\/users\/current\/$/],
] as const;

export type RouteName = (typeof ROUTES)[number][0];

export interface Route {
  readonly name: RouteName;
  /** The numbers of its path. */
  readonly ids: readonly string[];
}

export function routeOf({ method, path }: Pick<SimRequest, 'method' | 'path'>): Route | null {
  for (const [name, wanted, pattern] of ROUTES) {
    const match = method === wanted ? pattern.exec(path) : null;
    if (match !== null) {
      return { name, ids: match.slice(1) };
    }
  }
  return null;
}
