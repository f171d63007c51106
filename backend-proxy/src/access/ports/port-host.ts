/**
 * The host name of a port's own origin: `<port>-<cluster>-<machine>.localhost`. Browsers lead every name below `localhost` to
 * this computer, and take each for a site of its own. The machine is part of it, since a cluster that is started again, or another
 * one of the same name, may be a stranger's whose pages must not meet what the last one left in the browser.
 */
import { createHash } from 'node:crypto';
import type { AgentLink } from '../agent-link.ts';

const HOST = /^([a-z0-9][a-z0-9-]{0,62})\.localhost:(\d{1,5})$/;
const MACHINE_LETTERS = 8;

/** @param machine what is one machine's alone and no secret, from {@link machineOf}. */
export const portLabel = (port: number, clusterName: string, machine: string): string =>
  `${port.toString()}-${clusterName}-${machine}`;

/** The label in a `Host` header; null for every host that is no port's, under the daemon's own port. */
export function labelOfHost(host: string | undefined, daemonPort: number): string | null {
  const [, label, port] = HOST.exec(host?.toLowerCase() ?? '') ?? [];
  return label !== undefined && port === daemonPort.toString() ? label : null;
}

export const hostOf = (label: string, daemonPort: number): string =>
  `${label}.localhost:${daemonPort.toString()}`;

const machines = new WeakMap<AgentLink, string>();

/** Each machine's agent has a bearer of its own. 32 bits of its digest name the machine, and say nothing of it. */
export function machineOf(link: AgentLink): string {
  const known = machines.get(link);
  if (known !== undefined) {
    return known;
  }
  const machine = createHash('sha256')
    .update(`origin of ports ${link.token}`)
    .digest('hex')
    .slice(0, MACHINE_LETTERS);
  machines.set(link, machine);
  return machine;
}
