/** The networks that are there: their settings, read from the environment, and the adapters built from them. */
import { busyLimitsSchema, cutText, HitchError, type ProviderId } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import * as z from 'zod';
import type { AgentAddress } from '../access/host.ts';
import type { AgentPort } from '../access/links.ts';
import { FarShells } from '../access/tunnel/far-shells.ts';
import type { FarTarget } from '../access/tunnel/target.ts';
import { LocalEnvironments } from '../machines/environments/local-environments.ts';
import { Machines } from '../machines/machines.ts';
import { PythonEnvironments } from '../machines/python.ts';
import { NETWORKS } from './folders.ts';
import { Recorder } from './recorder.ts';
import type { Transport } from './http/transport.ts';
import { WebTransport } from './http/web-transport.ts';
import type { RegisteredNetwork } from './network.ts';
import type { OwnMachines } from './own-machines.ts';
import type { LoginValues, Provider } from './provider.ts';

const ids = NETWORKS.map(({ id }) => id);

const commonSchema = z.strictObject({
  /** Networks that are on. */
  enabled: z
    .array(z.string().refine(id => ids.includes(id), { message: `networks are ${ids.join(', ')}` }))
    .default([...ids]),
  /** The user's own interpreter; null: Hitch makes an environment. */
  python: z.string().nullable().default(null),
  /** From when on processes of a machine count as work. */
  busy: busyLimitsSchema.prefault({}),
});

export type ProviderSettings = z.infer<typeof commonSchema> & {
  /** What was set of each network, in the network's own shape. */
  readonly networks: Readonly<Record<ProviderId, object>>;
};

/** Variables that belong to no network. */
const VARIABLES: Readonly<Record<string, (value: string) => object>> = {
  HITCH_PROVIDERS: value => ({ enabled: value.split(',').map(name => name.trim()) }),
  HITCH_PYTHON: value => ({ python: value }),
  HITCH_BUSY_CPU_PERCENT: value => ({ busy: { cpuPercent: Number(value) } }),
  HITCH_BUSY_KB_PER_SECOND: value => ({ busy: { kilobytesPerSecond: Number(value) } }),
};

/** @throws HitchError BAD_INPUT naming the variable whose value makes no sense. */
export function providerSettingsFrom(environment: NodeJS.ProcessEnv): ProviderSettings {
  const common = readVariables(environment, VARIABLES, raw => commonSchema.parse(raw));
  const networks = NETWORKS.map(network => {
    const { raw } = readVariables(environment, network.environment, each => network.read(each));
    return [network.id, raw] as const;
  });
  return { ...common.parsed, networks: Object.fromEntries(networks) };
}

/** @returns what the variables set, as they say it and as it is read. */
function readVariables<T>(
  environment: NodeJS.ProcessEnv,
  variables: RegisteredNetwork['environment'],
  parse: (raw: object) => T,
): { readonly raw: object; readonly parsed: T } {
  let raw: object = {};
  let parsed = parse(raw);
  for (const [name, read] of Object.entries(variables)) {
    const value = environment[name];
    if (value === undefined || value === '') {
      continue;
    }
    raw = merge(raw, read(value));
    try {
      parsed = parse(raw);
    } catch (cause) {
      const why = cause instanceof z.ZodError ? (cause.issues[0]?.message ?? '') : String(cause);
      throw new HitchError(
        'BAD_INPUT',
        `The variable ${name} is "${cutText(value, 60)}", which is not valid: ${why}.`,
        { field: name, next: `Unset ${name} or correct it, and start the daemon again.`, cause },
      );
    }
  }
  return { raw, parsed };
}

/** Two variables may each set a part of one thing. */
function merge(one: object, other: object): object {
  const both = { ...one, ...other };
  for (const [name, value] of Object.entries(other)) {
    const before: unknown = Reflect.get(one, name);
    if (isPlain(before) && isPlain(value)) {
      Object.assign(both, { [name]: { ...before, ...value } });
    }
  }
  return both;
}

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export interface Providers {
  readonly all: ReadonlyMap<ProviderId, Provider>;
  readonly machines: Machines;
  /** What a person does with the list of their own machines; null when that network is off. */
  readonly ownMachines: OwnMachines | null;
  /** Ways to machines behind ssh that are open, whoever rents them. */
  readonly shells: FarShells;
  /** A machine of the user's own, by its name in their configuration of `ssh`. */
  readonly ownTarget: (name: string) => FarTarget;
  /** The agent of a machine that is no process, which no connection leads to; null: it is none of those. */
  readonly agentAt: (address: AgentAddress) => AgentPort | null;
  /** What is asked of networks over HTTP, and answered, while somebody records it. */
  readonly recorder: Recorder;
  /** How anything else is asked over HTTP, by the same proxy and within the same bounds. */
  readonly web: Transport;
  /** A network's adapter, as it is for somebody who is logged in with these values. */
  readonly adapterWith: (provider: Provider, values: LoginValues) => Provider;
  /** Ends what is open to machines; what runs on them goes on. */
  close(): Promise<void>;
}

export interface ProviderDeps {
  readonly home: Home;
  readonly clock: Clock;
  /** The login that a person gave for a network, as it is now; left out: nobody is logged in anywhere. */
  readonly login?: (network: ProviderId) => Promise<LoginValues | null>;
}

/** Builds the networks that are on. Touches neither disk nor network. */
export function buildProviders(settings: ProviderSettings, deps: ProviderDeps): Providers {
  const { home, clock, login = () => Promise.resolve(null) } = deps;
  const python = new PythonEnvironments({ folder: home.python, clock, named: settings.python ?? undefined });
  const environments = new LocalEnvironments({
    folder: home.environments,
    tools: home.python,
    machines: home.machines,
    clock,
    named: settings.python ?? undefined,
  });
  const machines = new Machines({ home, clock, python, environments });
  const shells = new FarShells({
    clock,
    random: systemRandom,
    sockets: home.sockets,
    shared: process.platform !== 'win32',
  });
  const web = new WebTransport();
  const recorder = new Recorder(clock);
  const build = (network: RegisteredNetwork, ownLogin: () => Promise<LoginValues | null>) =>
    network.build(settings.networks[network.id] ?? {}, {
      home,
      clock,
      machines,
      shells,
      transport: recorder.hearing(network.id, web.send),
      python: settings.python,
      login: ownLogin,
    });
  const built = NETWORKS.filter(({ id }) => settings.enabled.includes(id)).map(network =>
    build(network, () => login(network.id)),
  );
  const providers = built.map(({ provider }) => provider);
  const ownMachines = built.find(one => one.ownMachines !== undefined)?.ownMachines ?? null;
  return {
    all: new Map(providers.map(provider => [provider.id, provider])),
    machines,
    ownMachines,
    shells,
    // Machines that were rented before their network was turned off are reached all the same.
    ownTarget: name =>
      ownMachines?.targetOf(name) ?? { name, destination: name, settings: [], configFile: null },
    agentAt: address =>
      built.reduce<AgentPort | null>((agent, one) => agent ?? one.agentAt?.(address) ?? null, null),
    recorder,
    web: web.send,
    adapterWith: (provider, values) => {
      const network = NETWORKS.find(({ id }) => id === provider.id);
      return network === undefined ? provider : build(network, () => Promise.resolve(values)).provider;
    },
    close: async () => {
      await Promise.all([shells.close(), web.close()]);
    },
  };
}
