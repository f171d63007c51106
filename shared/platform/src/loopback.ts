/**
 * Keeps what goes to this very computer out of proxies. Node sends everything through the proxy of the environment when
 * `NODE_USE_ENV_PROXY` (or `--use-env-proxy`) is set, loopback included unless `NO_PROXY` names it, and with it the
 * bearer of the daemon.
 */
import http from 'node:http';

const LOOPBACK = ['localhost', '127.0.0.1', '::1', '[::1]'];
const NAMES = ['NO_PROXY', 'no_proxy'] as const;

/** The list with loopback in it. `*` has it already. */
export function withLoopback(list: string | undefined): string {
  const known = (list ?? '').split(/[\s,]+/).filter(host => host !== '');
  return known.includes('*') ? '*' : [...new Set([...known, ...LOOPBACK])].join(',');
}

/**
 * Call it before the first request. What this process starts inherits it.
 *
 * `fetch` looks at the environment with each request. The agent behind `node:http`, which WebSockets go through too,
 * has read it once, as Node started: one that reads it now takes its place.
 */
export function keepLoopbackDirect(environment: NodeJS.ProcessEnv = process.env): void {
  // Of the two, a program reads the one that it finds first: each must have what either says.
  const list = withLoopback(NAMES.map(name => environment[name] ?? '').join(','));
  for (const name of NAMES) {
    environment[name] = list;
  }
  const options: unknown = Reflect.get(http.globalAgent, 'options');
  if (
    typeof options === 'object' &&
    options !== null &&
    'proxyEnv' in options &&
    options.proxyEnv !== undefined
  ) {
    http.globalAgent = new http.Agent({ ...options, proxyEnv: environment });
  }
}
