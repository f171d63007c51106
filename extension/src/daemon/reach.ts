/** What really talks to the daemon: half of the extension's bundle, loaded when there is a daemon to talk to. */
import { HitchClient } from '@hitch/contract/src/client.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import type { DaemonPlace } from './place.ts';
import { sendSurely } from './send.ts';

export { ensureDaemon } from '@hitch/client-node/src/connect.ts';
export { findDaemon } from '@hitch/client-node/src/find.ts';

export function clientAt(place: DaemonPlace): HitchClient {
  return new HitchClient({
    baseUrl: async () => (await place.current()).baseUrl,
    token: async () => (await place.current()).token,
    clientId: 'vscode',
    fetch: request =>
      sendSurely({ place, fetch: sent => fetch(sent), sleep: ms => systemClock.sleep(ms) }, request),
  });
}
