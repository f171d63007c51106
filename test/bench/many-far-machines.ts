/**
 * Many far machines on this computer: users of one sshd, each with a home of its own, with stand-ins for what is heavy
 * there. Node, uv and Python answer at once, and instead of agents one server listens at all their sockets and answers as
 * agents do. What the daemon holds is real: its connections, records, doors and streams.
 */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FarMachine } from '../support/far-machine.ts';
import { roomyFolder } from '../support/roomy-folder.ts';
import { standIns } from './stand-ins.ts';

/** All dial at about the same time. */
const SSHD = ['MaxStartups 1000', 'MaxSessions 10'];
export interface ManyFarMachines {
  readonly names: readonly string[];
  /** For `ssh -F`. */
  readonly config: string;
  end(): Promise<void>;
}

export async function startMany(count: number): Promise<ManyFarMachines> {
  const folder = roomyFolder('hm-');
  chmodSync(folder, 0o755);
  const stood = standIns(folder);
  const machine = await FarMachine.start({
    sshd: SSHD,
    environment: { PATH: stood.tools.path },
    moreUsers: count,
  });
  const hosts = machine.moreUsers.map(({ name }) => `Host ${name}\n  User ${name}\n  HostName 127.0.0.1\n`);
  const config = join(machine.folder, 'many');
  const common = readFileSync(machine.config, 'utf8').replace(/^ *(Host |HostName|User ).*\n/gm, '');
  writeFileSync(config, `${hosts.join('')}Host *\n${common}`);
  return {
    names: machine.moreUsers.map(({ name }) => name),
    config,
    end: async () => {
      await machine.dispose();
      await stood.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
