/** The contract suite on practice machines that are each behind an sshd: where ssh leads is data, as with networks that rent. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock, systemClock } from '@hitch/platform/src/clock.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import { FarShells } from '../../backend-proxy/src/access/tunnel/far-shells.ts';
import { FarHosts } from '../../backend-proxy/src/machines/far/far-hosts.ts';
import { SandboxMarket } from '../../backend-proxy/src/providers/sandbox/market.ts';
import { folderStorage } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import { SandboxProvider } from '../../backend-proxy/src/providers/sandbox/sandbox-provider.ts';
import { SshdRuntime } from '../../backend-proxy/src/providers/sandbox/sshd-runtime.ts';
import { withoutOpenssh } from '../support/openssh.ts';
import { type ProviderSubject, SUITE_KEY } from './provider-rig.ts';
import { describeProvider } from './provider-suite.ts';

async function behindSshd(): Promise<ProviderSubject> {
  const folder = mkdtempSync(join(tmpdir(), 'hitch-sshd-'));
  const key = join(folder, 'key');
  writeFileSync(key, SUITE_KEY.privateKey, { mode: 0o600 });
  const clock = new VirtualClock();
  const storage = folderStorage(join(folder, 'market'));
  const runtime = new SshdRuntime({ folder: join(folder, 'sshd'), clock: systemClock });
  const open = (): SandboxMarket => new SandboxMarket({ clock, storage, runtime });
  const shells = new FarShells({
    clock: systemClock,
    random: systemRandom,
    sockets: join(folder, 's'),
    shared: true,
  });
  const market = open();
  return {
    provider: new SandboxProvider(market),
    restarted: () => new SandboxProvider(open()),
    far: new FarHosts({
      clock: systemClock,
      shells,
      ownTarget: name => ({ name, destination: name, settings: [], configFile: 'none' }),
      folder: join(folder, 'known'),
      keyOf: () => key,
    }),
    pass: async ms => clock.jump(ms),
    dispose: async () => {
      await shells.close();
      await Promise.all(market.rentals().map(rental => runtime.end(rental)));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describeProvider({
  name: 'sandbox behind sshd',
  faults: [],
  cannotRun: withoutOpenssh(),
  build: behindSshd,
});
