/** Which networks there are. The one place, beside their own folders, that names them. */
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import {
  busyLimitsSchema,
  cutText,
  HitchError,
  type MicroUsd,
  parseDollars,
  type ProviderId,
} from '@hitch/contract';
import * as z from 'zod';
import { Machines } from '../machines/machines.ts';
import { PythonEnvironments } from '../machines/python.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import type { AgentAddress } from '../access/host.ts';
import type { AgentPort } from '../access/links.ts';
import { FarShells } from '../access/tunnel/far-shells.ts';
import type { FarTarget } from '../access/tunnel/target.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import { LocalProvider } from './local/local-provider.ts';
import type { Provider } from './provider.ts';
import { NO_FAULTS, faultPlanSchema, parseFaultPlan } from './sandbox/faults.ts';
import { SandboxMarket } from './sandbox/market.ts';
import type { MarketRuntime } from './sandbox/market-runtime.ts';
import { folderStorage, memoryStorage } from './sandbox/market-storage.ts';
import { agentWithoutProcess, NullRuntime } from './sandbox/null-runtime.ts';
import { ProcessRuntime } from './sandbox/process-runtime.ts';
import { SandboxProvider } from './sandbox/sandbox-provider.ts';
import { SshdRuntime } from './sandbox/sshd-runtime.ts';
import { OwnHosts } from './ssh/own-hosts.ts';
import { OwnMachines } from './ssh/own-machines.ts';
import { SshProvider } from './ssh/ssh-provider.ts';

const PROVIDER_IDS = ['local', 'sandbox', 'ssh'] as const;
const milliseconds = z.coerce.number().int().min(0).max(86_400_000);

export const providerSettingsSchema = z.strictObject({
  /** Networks that are on. */
  enabled: z.array(z.enum(PROVIDER_IDS)).default([...PROVIDER_IDS]),
  /** The user's own interpreter; null: Hitch makes an environment. */
  python: z.string().nullable().default(null),
  /** From when on processes of a machine count as work. */
  busy: busyLimitsSchema.prefault({}),
  local: z.strictObject({ dollarsPerHour: z.string().default('0') }).prefault({}),
  sandbox: z
    .strictObject({
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
    })
    .prefault({}),
  ssh: z
    .strictObject({
      /** Another configuration of `ssh` than the user's own; null: that one. */
      configFile: z.string().nullable().default(null),
    })
    .prefault({}),
});
export type ProviderSettings = z.infer<typeof providerSettingsSchema>;

/** What the environment sets: each variable, where it goes, and how it is read. */
const VARIABLES: Readonly<Record<string, (value: string) => Settings>> = {
  HITCH_PROVIDERS: value => ({ enabled: value.split(',').map(name => name.trim()) }),
  HITCH_PYTHON: value => ({ python: value }),
  HITCH_BUSY_CPU_PERCENT: value => ({ busy: { cpuPercent: Number(value) } }),
  HITCH_BUSY_KB_PER_SECOND: value => ({ busy: { kilobytesPerSecond: Number(value) } }),
  HITCH_LOCAL_DOLLARS_PER_HOUR: value => ({ local: { dollarsPerHour: value } }),
  HITCH_SANDBOX_SEED: value => ({ sandbox: { seed: value } }),
  HITCH_SANDBOX_RUNTIME: value => ({ sandbox: { runtime: value } }),
  HITCH_SANDBOX_BOOT_MS: value => ({ sandbox: { bootDelayMs: value } }),
  HITCH_SANDBOX_VISIBILITY_MS: value => ({ sandbox: { visibilityDelayMs: value } }),
  HITCH_SANDBOX_STOCK: value => ({ sandbox: { stock: value } }),
  HITCH_SANDBOX_FAULTS: value => ({ sandbox: { faults: parseFaultPlan(value) } }),
  HITCH_SSH_CONFIG: value => ({ ssh: { configFile: value } }),
};

interface Settings {
  readonly enabled?: readonly string[];
  readonly python?: string;
  readonly busy?: Readonly<Record<string, number>>;
  readonly local?: Readonly<Record<string, unknown>>;
  readonly sandbox?: Readonly<Record<string, unknown>>;
  readonly ssh?: Readonly<Record<string, unknown>>;
}

/** @throws HitchError BAD_INPUT naming the variable whose value makes no sense. */
export function providerSettingsFrom(environment: NodeJS.ProcessEnv): ProviderSettings {
  let merged: Settings = {};
  for (const [name, read] of Object.entries(VARIABLES)) {
    const value = environment[name];
    if (value !== undefined && value !== '') {
      merged = merge(merged, read(value));
      const parsed = providerSettingsSchema.safeParse(merged);
      if (!parsed.success) {
        throw new HitchError(
          'BAD_INPUT',
          `The variable ${name} is "${cutText(value, 60)}", which is not valid: ${parsed.error.issues[0]?.message ?? ''}.`,
          {
            field: name,
            next: `Unset ${name} or correct it, and start the daemon again.`,
            cause: parsed.error,
          },
        );
      }
    }
  }
  return providerSettingsSchema.parse(merged);
}

function merge(a: Settings, b: Settings): Settings {
  return {
    ...a,
    ...b,
    busy: { ...a.busy, ...b.busy },
    local: { ...a.local, ...b.local },
    sandbox: { ...a.sandbox, ...b.sandbox },
    ssh: { ...a.ssh, ...b.ssh },
  };
}

export interface Providers {
  readonly all: ReadonlyMap<ProviderId, Provider>;
  /** The practice market itself, which knows its own bill; null when it is off. */
  readonly market: SandboxMarket | null;
  readonly machines: Machines;
  /** What a person does with the list of their own machines; null when that network is off. */
  readonly ownMachines: OwnMachines | null;
  /** Ways to machines behind ssh that are open, whoever rents them. */
  readonly shells: FarShells;
  /** A machine of the user's own, by its name in their configuration of `ssh`. */
  readonly ownTarget: (name: string) => FarTarget;
  /** Whether a network that takes real money is on. */
  readonly realNetworkOn: boolean;
  /** The agent of a machine that is no process, which no connection leads to; null: it is none of those. */
  readonly agentAt: (address: AgentAddress) => AgentPort | null;
  /** Ends what is open to machines; what runs on them goes on. */
  close(): Promise<void>;
}

interface Deps {
  readonly home: Home;
  readonly clock: Clock;
}

/** Builds the networks that are on. Touches neither disk nor network. */
export function buildProviders(settings: ProviderSettings, deps: Deps): Providers {
  const { home, clock } = deps;
  const python = new PythonEnvironments({ folder: home.python, clock, named: settings.python ?? undefined });
  const machines = new Machines({ home, clock, python });
  const market = settings.enabled.includes('sandbox') ? buildMarket(settings, deps, machines) : null;
  const providers: Provider[] = [];
  if (settings.enabled.includes('local')) {
    const pricePerHourMicroUsd = localPrice(settings.local.dollarsPerHour);
    providers.push(new LocalProvider({ machines, clock, folder: home.root, pricePerHourMicroUsd }));
  }
  if (market !== null) {
    providers.push(new SandboxProvider(market));
  }
  const shells = farShells(deps);
  const ownTarget = targetsIn(settings);
  let ownMachines: OwnMachines | null = null;
  if (settings.enabled.includes('ssh')) {
    const own = { hosts: new OwnHosts(home), shells, targetOf: ownTarget };
    providers.push(new SshProvider({ ...own, clock }));
    ownMachines = new OwnMachines({ ...own, configFile: settings.ssh.configFile });
  }
  return {
    all: new Map(providers.map(provider => [provider.id, provider])),
    market,
    machines,
    ownMachines,
    shells,
    ownTarget,
    realNetworkOn: providers.some(({ kind }) => kind === 'network'),
    agentAt: agentWithoutProcess,
    close: () => shells.close(),
  };
}

export { asHitchError, type OwnMachines, type SeenMachine } from './ssh/own-machines.ts';

const farShells = ({ home, clock }: Deps): FarShells =>
  new FarShells({
    clock,
    random: systemRandom,
    sockets: home.sockets,
    shared: process.platform !== 'win32',
  });

const targetsIn =
  ({ ssh }: ProviderSettings) =>
  (name: string): FarTarget => ({
    name,
    destination: name,
    settings: [],
    configFile: ssh.configFile,
  });

function buildMarket(settings: ProviderSettings, deps: Deps, machines: Machines): SandboxMarket {
  const { sandbox } = settings;
  const { home, clock } = deps;
  const folder = join(home.root, 'sandbox');
  return new SandboxMarket({
    clock,
    storage: sandbox.runtime === 'null' ? memoryStorage() : folderStorage(folder),
    runtime: runtimeOf(settings, deps, machines),
    seed: sandbox.seed,
    faults: sandbox.faults,
    bootDelayMs: sandbox.bootDelayMs,
    visibilityDelayMs: sandbox.visibilityDelayMs,
    ...(sandbox.stock === null ? {} : { stock: sandbox.stock }),
  });
}

/** What practice machines are for real. */
function runtimeOf(
  { sandbox, python }: ProviderSettings,
  { home, clock }: Deps,
  machines: Machines,
): MarketRuntime {
  switch (sandbox.runtime) {
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

function localPrice(text: string): MicroUsd {
  try {
    return parseDollars(text);
  } catch (cause) {
    throw new HitchError('BAD_INPUT', `The price of this computer is not valid: ${String(cause)}`, {
      field: 'local.dollarsPerHour',
      next: 'Write it like 0.25 (dollars an hour).',
      cause,
    });
  }
}
