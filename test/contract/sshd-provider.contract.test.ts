/** The contract suite on practice machines that are each behind an sshd: where ssh leads is data, as with networks that rent. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock, systemClock } from '@hitch/platform/src/clock.ts';
import { faultPlanSchema } from '../../backend-proxy/src/providers/sandbox/faults.ts';
import { SandboxMarket } from '../../backend-proxy/src/providers/sandbox/market.ts';
import { folderStorage } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import { SandboxProvider } from '../../backend-proxy/src/providers/sandbox/sandbox-provider.ts';
import { SshdRuntime } from '../../backend-proxy/src/providers/sandbox/sshd-runtime.ts';
import { withoutOpenssh } from '../support/openssh.ts';
import { farWays } from './far-subject.ts';
import type { NetworkFault, ProviderSubject } from './provider-rig.ts';
import { describeProvider } from './provider-suite.ts';

/** What the market is asked to do besides, since it is about machines. */
const RULES = [{ fault: 'sold_together' }, { fault: 'member_lost', afterMs: 60_000 }] as const;

async function behindSshd(faults: readonly NetworkFault[]): Promise<ProviderSubject> {
  const folder = mkdtempSync(join(tmpdir(), 'hitch-sshd-'));
  const clock = new VirtualClock();
  const storage = folderStorage(join(folder, 'market'));
  const runtime = new SshdRuntime({ folder: join(folder, 'sshd'), clock: systemClock });
  const open = (): SandboxMarket =>
    new SandboxMarket({
      clock,
      storage,
      runtime,
      stock: 50,
      faults: faultPlanSchema.parse({ rules: RULES.filter(({ fault }) => faults.includes(fault)) }),
    });
  const ways = farWays();
  const market = open();
  return {
    provider: new SandboxProvider(market),
    restarted: () => new SandboxProvider(open()),
    far: ways.far,
    pass: async ms => clock.jump(ms),
    dispose: async () => {
      await ways.close();
      await Promise.all(market.rentals().map(rental => runtime.end(rental)));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describeProvider({
  name: 'sandbox behind sshd',
  faults: RULES.map(({ fault }) => fault),
  cannotRun: withoutOpenssh(),
  build: behindSshd,
});
