/**
 * How a folder of this package registers its network: it exports one `network`, made with {@link defineNetwork}. Which
 * networks there are, what each can be set to and which variables set it, all follow from that.
 */
import type { ProviderId } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import type * as z from 'zod';
import type { AgentAddress } from '../access/host.ts';
import type { AgentPort } from '../access/links.ts';
import type { FarShells } from '../access/tunnel/far-shells.ts';
import type { Machines } from '../machines/machines.ts';
import type { Transport } from './http/transport.ts';
import type { OwnMachines } from './own-machines.ts';
import type { LoginValues, Provider } from './provider.ts';

/** What an adapter may be built with. */
export interface NetworkTools {
  readonly home: Home;
  readonly clock: Clock;
  /** Machines that are processes on this computer. */
  readonly machines: Machines;
  /** The user's own interpreter; null: Hitch makes an environment. */
  readonly python: string | null;
  /** Ways to machines that `ssh` reaches. */
  readonly shells: FarShells;
  /** How requests to a network's API leave this computer. */
  readonly transport: Transport;
  /** The login that a person gave for this network, as it is now; null: there is none. */
  readonly login: () => Promise<LoginValues | null>;
}

export interface BuiltNetwork {
  readonly provider: Provider;
  /** Where a person keeps the list of its machines. */
  readonly ownMachines?: OwnMachines;
  /** The agent of a machine of it that is no process, which no connection leads to; null: it is none of those. */
  readonly agentAt?: (address: AgentAddress) => AgentPort | null;
}

export interface NetworkDefinition<Schema extends z.ZodType> {
  readonly id: ProviderId;
  /** Every setting has a default. */
  readonly settings: Schema;
  /** Variables of the environment, each with the settings that a value of it stands for. */
  readonly environment: Readonly<Record<string, (value: string) => object>>;
  /** Touches neither disk nor network. @throws HitchError for a setting that makes no sense. */
  build(settings: z.output<Schema>, tools: NetworkTools): BuiltNetwork;
}

/** A network whose settings are read where they are used, so that all of them fit into one list. */
export interface RegisteredNetwork {
  readonly id: ProviderId;
  readonly environment: Readonly<Record<string, (value: string) => object>>;
  /** @throws z.ZodError */
  read(raw: unknown): unknown;
  build(raw: unknown, tools: NetworkTools): BuiltNetwork;
}

export function defineNetwork<Schema extends z.ZodType>(of: NetworkDefinition<Schema>): RegisteredNetwork {
  const { id, settings, environment } = of;
  return {
    id,
    environment,
    read: raw => settings.parse(raw),
    build: (raw, tools) => of.build(settings.parse(raw), tools),
  };
}
