/** The practice market, registered. */
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { defineNetwork, type NetworkTools } from '../network.ts';
import { marketAccountSchema, parseMarketAccount } from './account.ts';
import { faultPlanSchema, NO_FAULTS, parseFaultPlan } from './faults.ts';
import { SandboxMarket } from './market.ts';
import type { MarketRuntime } from './market-runtime.ts';
import { folderStorage, memoryStorage } from './market-storage.ts';
import { agentWithoutProcess, NullRuntime } from './null-runtime.ts';
import { ProcessRuntime } from './process-runtime.ts';
import { SandboxProvider } from './sandbox-provider.ts';
import { SshdRuntime } from './sshd-runtime.ts';

const milliseconds = z.coerce.number().int().min(0).max(86_400_000);

export const network = defineNetwork({
  id: 'sandbox',
  settings: z.strictObject({
    seed: z.coerce.number().int().default(1),
    /**
     * `null`: machines are records without processes, forgotten with the daemon. `sshd`: each is behind an sshd of its
     * own on this computer, and reached as rented machines are.
     */
    runtime: z.enum(['process', 'sshd', 'null']).default('process'),
    bootDelayMs: milliseconds.default(500),
    visibilityDelayMs: milliseconds.default(5_000),
    /** So many of everything, always; for load tests. */
    stock: z.coerce.number().int().min(0).nullable().default(null),
    faults: faultPlanSchema.default(NO_FAULTS),
    /** Whoever rents needs one of these keys; null: anybody may. */
    account: marketAccountSchema.nullable().default(null),
  }),
  environment: {
    HITCH_SANDBOX_SEED: value => ({ seed: value }),
    HITCH_SANDBOX_RUNTIME: value => ({ runtime: value }),
    HITCH_SANDBOX_BOOT_MS: value => ({ bootDelayMs: value }),
    HITCH_SANDBOX_VISIBILITY_MS: value => ({ visibilityDelayMs: value }),
    HITCH_SANDBOX_STOCK: value => ({ stock: value }),
    HITCH_SANDBOX_FAULTS: value => ({ faults: parseFaultPlan(value) }),
    HITCH_SANDBOX_ACCOUNT: value => ({ account: parseMarketAccount(value) }),
  },
  build: (settings, tools) => {
    const { home, clock, login } = tools;
    const market = new SandboxMarket({
      clock,
      storage: settings.runtime === 'null' ? memoryStorage() : folderStorage(join(home.root, 'sandbox')),
      runtime: runtimeOf(settings.runtime, tools),
      seed: settings.seed,
      faults: settings.faults,
      bootDelayMs: settings.bootDelayMs,
      visibilityDelayMs: settings.visibilityDelayMs,
      account: settings.account,
      ...(settings.stock === null ? {} : { stock: settings.stock }),
    });
    return { provider: new SandboxProvider(market, { login }), agentAt: agentWithoutProcess };
  },
});

/** What practice machines are for real. */
function runtimeOf(
  runtime: 'process' | 'sshd' | 'null',
  { home, clock, machines, python }: NetworkTools,
): MarketRuntime {
  switch (runtime) {
    case 'process':
      return new ProcessRuntime(machines, availableParallelism());
    case 'sshd':
      return new SshdRuntime({
        folder: join(home.root, 'sshd'),
        clock,
        path: [process.execPath, ...(python === null ? [] : [python])].map(program => dirname(program)),
      });
    case 'null':
      return new NullRuntime({ clock });
  }
}
