/** Opening ports, put together. */
import { HitchError, type ClusterId } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { AgentLink } from '../agent-link.ts';
import { machineOf } from './port-host.ts';
import { PortLinks } from './port-links.ts';
import { PortProxy } from './port-proxy.ts';

export interface PortsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly secret: () => string;
  /** The daemon's own; known once it listens. */
  readonly port: () => number;
  /** The way to a node. @throws HitchError */
  readonly linkFor: (clusterId: ClusterId, nodeIndex: number) => AgentLink;
  /** Ray's token of a cluster; null where there is none such. */
  readonly rayToken: (clusterId: ClusterId) => string | null;
}

export interface Ports {
  readonly links: PortLinks;
  readonly proxy: PortProxy;
}

export function createPorts({ clock, log, secret, port, linkFor, rayToken }: PortsOptions): Ports {
  const links = new PortLinks(clock, secret, port);
  const proxy = new PortProxy({
    links,
    port,
    clock,
    log,
    wayTo: ({ clusterId, nodeIndex, label, isRay }) => {
      const link = linkFor(clusterId, nodeIndex);
      if (!label.endsWith(`-${machineOf(link)}`)) {
        throw new HitchError('NOT_FOUND', 'The machine that this was opened on is gone.', {
          next: 'Open it again from Hitch: another machine has another address.',
        });
      }
      return { link, rayToken: isRay ? rayToken(clusterId) : null };
    },
  });
  return { links, proxy };
}
