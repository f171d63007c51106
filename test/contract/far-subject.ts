/** The ways to machines behind a simulator, as a daemon makes them: a real `ssh`, and the suite's own key. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import { FarShells } from '../../backend-proxy/src/access/tunnel/far-shells.ts';
import { FarHosts } from '../../backend-proxy/src/machines/far/far-hosts.ts';
import { writeWebProxy } from '../support/web-proxy.ts';
import { SUITE_KEY } from './provider-rig.ts';

export interface FarWays {
  readonly far: FarHosts;
  close(): Promise<void>;
}

export function farWays(): FarWays {
  const folder = mkdtempSync(join(tmpdir(), 'hitch-ways-'));
  const key = join(folder, 'key');
  writeFileSync(key, SUITE_KEY.privateKey, { mode: 0o600 });
  const shells = new FarShells({
    clock: systemClock,
    random: systemRandom,
    sockets: join(folder, 's'),
    shared: true,
  });
  return {
    far: new FarHosts({
      clock: systemClock,
      shells,
      ownTarget: name => ({ name, destination: name, settings: [], configFile: 'none' }),
      folder: join(folder, 'known'),
      webProxy: writeWebProxy(folder),
      keyOf: () => key,
    }),
    close: async () => {
      await shells.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
