/** A machine that ssh reaches, and a daemon that has it, as the figures of far machines need them. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import * as z from 'zod';
import { OpenSshShell } from '../../backend-proxy/src/access/tunnel/open-ssh-shell.ts';
import { OwnHosts } from '../../backend-proxy/src/providers/ssh/own-hosts.ts';
import { FarMachine } from '../support/far-machine.ts';
import { type DaemonUnderTest, startDaemon } from './daemon-under-test.ts';

/** Its name in the configuration of `ssh`. */
export const FAR_NAME = 'gpu-box';
/** Where Hitch's own folder lies in its home. */
const FAR_ROOT = '.hitch/far';

const configSchema = z.object({ listen: z.string(), token: z.string() });

export interface FarUnderTest {
  readonly machine: FarMachine;
  readonly daemon: DaemonUnderTest;
  /** Rents it, and waits until a notebook can run. */
  rent(): Promise<Cluster>;
  /** Where the cluster's agent listens on the machine itself, and its bearer. */
  agentOf(cluster: Cluster): { readonly listen: string; readonly token: string };
  folderOf(cluster: Cluster): string;
  /** The interpreter with the packages, once it was set up. @throws Error before. */
  pythonOf(): string;
  end(): Promise<void>;
}

export async function startFar(): Promise<FarUnderTest> {
  const machine = await FarMachine.start();
  const environment = { HITCH_PROVIDERS: 'ssh', HITCH_SSH_CONFIG: machine.config };
  const daemon = await startDaemon(environment, home =>
    new OwnHosts(home).set({ name: FAR_NAME, pricePerHourMicroUsd: '0' }),
  );
  const folderOf = ({ nodes }: Cluster): string =>
    join(machine.home, FAR_ROOT, 'machines', nodes[0]?.attempts.at(-1)?.ref ?? '');
  return {
    machine,
    daemon,
    rent: async () => {
      const { id } = await daemon.rent({ filter: { providers: ['ssh'] } });
      return daemon.until(id, ({ conditions }) => conditions.kernel.status === 'yes');
    },
    agentOf: cluster =>
      configSchema.parse(JSON.parse(readFileSync(join(folderOf(cluster), 'agent-config.json'), 'utf8'))),
    folderOf,
    pythonOf: () => {
      const cache = join(machine.home, FAR_ROOT, 'cache');
      const [ready] = readdirSync(cache).filter(name => name.startsWith('ready-'));
      const [, python] = readFileSync(join(cache, ready ?? 'ready-'), 'utf8').split('\n');
      if (python === undefined) {
        throw new Error('The machine names no interpreter.');
      }
      return python;
    },
    end: async () => {
      await daemon.end();
      await machine.dispose();
    },
  };
}

/** A way to the machine that is the bench's own, made as the daemon makes its. */
export function openShell(machine: FarMachine): Promise<OpenSshShell> {
  return OpenSshShell.open(
    { name: FAR_NAME, destination: FAR_NAME, settings: [], configFile: machine.config },
    { clock: systemClock, random: systemRandom, sockets: join(machine.folder, 's'), shared: true },
    new AbortController().signal,
  );
}
