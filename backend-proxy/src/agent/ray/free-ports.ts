/** Whether the ports Ray was given are free. Ray itself takes most of a minute to fail, and does not say on which. */
import { createServer } from 'node:net';
import { HitchError, type EngineConfig } from '@hitch/contract';
import type { RayPorts } from './ports.ts';

/** Those of the dashboard and the GCS are the head's alone; workers take theirs from a range and pass by taken ones. */
function portsOf(role: EngineConfig['role'], ports: RayPorts): number[] {
  const { gcs, dashboard, client, firstWorker: _first, lastWorker: _last, ...everyNode } = ports;
  return [...(role === 'head' ? [gcs, dashboard, client] : []), ...Object.values(everyNode)];
}

/** @throws HitchError UNREACHABLE (worth another try: its holder may go) naming the port that is taken. */
export async function checkPortsFree(role: EngineConfig['role'], ports: RayPorts): Promise<void> {
  for (const port of portsOf(role, ports)) {
    if (!(await isFree(port))) {
      throw new HitchError(
        'UNREACHABLE',
        `Ray cannot start: another program on this node uses port ${port.toString()}.`,
        {
          next: 'End that program, or start the cluster again to get other ports.',
        },
      );
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '0.0.0.0', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
