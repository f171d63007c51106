/** The user's own machines as a network: a real ssh, a real sshd, a home of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import type { FarShell } from '../../backend-proxy/src/access/tunnel/far-shell.ts';
import { FarShells } from '../../backend-proxy/src/access/tunnel/far-shells.ts';
import type { FarTarget } from '../../backend-proxy/src/access/tunnel/target.ts';
import { FarHosts } from '../../backend-proxy/src/machines/far/far-hosts.ts';
import { OwnHosts } from '../../backend-proxy/src/providers/ssh/own-hosts.ts';
import { SshProvider } from '../../backend-proxy/src/providers/ssh/ssh-provider.ts';
import { FarMachine, type FarMachineOptions } from '../support/far-machine.ts';
import type { ProviderSubject } from './provider-rig.ts';

export interface SshSubject extends ProviderSubject {
  readonly machine: FarMachine;
  readonly hosts: OwnHosts;
  another(): SshProvider;
  /** Asks the machine itself. */
  ask<T>(work: (shell: FarShell) => Promise<T>): Promise<T>;
}

export async function anSshNetwork(options: FarMachineOptions = {}): Promise<SshSubject> {
  const machine = await FarMachine.start(options);
  const folder = mkdtempSync(join(tmpdir(), 'hitch-own-'));
  const home = homeAt(folder);
  const hosts = new OwnHosts(home);
  hosts.set({ name: 'gpu-box', pricePerHourMicroUsd: '500000' });
  const opened: FarShells[] = [];
  // One name more leads to the same machine.
  const ownTarget = (name: string): FarTarget => ({
    name,
    destination: name === 'other-name' ? 'gpu-box' : name,
    settings: [],
    configFile: machine.config,
  });
  const another = (): SshProvider => {
    const shells = new FarShells({
      clock: systemClock,
      random: systemRandom,
      sockets: join(folder, 's'),
      shared: true,
    });
    opened.push(shells);
    return new SshProvider({
      hosts,
      shells,
      clock: systemClock,
      targetOf: ownTarget,
    });
  };
  const shells = new FarShells({
    clock: systemClock,
    random: systemRandom,
    sockets: join(folder, 's'),
    shared: true,
  });
  opened.push(shells);
  const far = new FarHosts({
    shells,
    clock: systemClock,
    ownTarget,
    folder: join(folder, 'far'),
    webProxy: '/nobody-goes-by-the-web-here',
    keyOf: () => join(folder, 'no-key'),
  });
  return {
    machine,
    hosts,
    provider: another(),
    far,
    restarted: another,
    another,
    ask: work => shells.use(ownTarget('gpu-box'), new AbortController().signal, work),
    // A machine of one's own is there at once.
    pass: async () => undefined,
    dispose: async () => {
      await Promise.all(opened.map(shells => shells.close()));
      await machine.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
