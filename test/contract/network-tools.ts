/** What an adapter over HTTP is built with in a contract suite. */
import assert from 'node:assert/strict';
import { homeAt } from '@hitch/platform/src/paths.ts';
import type { NetworkTools } from '../../backend-proxy/src/providers/network.ts';
import type { LoginValues } from '../../backend-proxy/src/providers/provider.ts';

/** What an adapter over HTTP is built with; the rest is not asked for. */
export function toolsWith({
  clock,
  transport,
  login,
}: Pick<NetworkTools, 'clock' | 'transport'> & { readonly login: LoginValues | null }): NetworkTools {
  const unused = (name: string) => () => assert.fail(`${name} is not for a network that is asked over HTTP`);
  return {
    home: homeAt('/nowhere'),
    clock,
    transport,
    python: null,
    login: () => Promise.resolve(login),
    get machines() {
      return unused('machines')();
    },
    get shells() {
      return unused('shells')();
    },
  };
}
