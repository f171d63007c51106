/**
 * The ports of this node: what its own programs listen on. Not those of Hitch, Jupyter, kernels and Ray themselves, which
 * serve nobody's browser, and none of other people's programs on a machine that is shared.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  HitchError,
  MOST_PORTS,
  MOST_SAID,
  type NodePort,
  type NodePorts as SaidPorts,
} from '@hitch/contract';
import * as z from 'zod';
import { argumentsOf, type ProcessReader, sockets } from '../processes/proc.ts';
import type { RayPorts } from '../ray/ports.ts';
import { knownPort } from './known.ts';
import { dialledAt, listeningSockets } from './listening.ts';

export interface NodePortsOptions {
  /** Null where the system does not show what listens. */
  readonly reader: Pick<ProcessReader, 'processes'> | null;
  /** Where Jupyter Server writes how its kernels are reached. */
  readonly runtimeFolder: string;
  /** Ray's, while it runs here, and whether this is its head. */
  readonly ray: () => { readonly ports: RayPorts; readonly isHead: boolean } | null;
  readonly root?: string;
}

interface Found extends NodePort {
  readonly addresses: readonly string[];
}

/** What a kernel is reached at: not for browsers. */
const connectionSchema = z.object({
  shell_port: z.number(),
  iopub_port: z.number(),
  stdin_port: z.number(),
  control_port: z.number(),
  hb_port: z.number(),
});

export class NodePorts {
  readonly #options: NodePortsOptions;

  constructor(options: NodePortsOptions) {
    this.#options = options;
  }

  /** By port. @throws HitchError CONFLICT where this system does not say. */
  list(): SaidPorts {
    const all = this.#find();
    const shown = all.slice(0, MOST_PORTS).map(({ port, process, known }) => ({ port, process, known }));
    return { ports: shown, more: all.length - shown.length };
  }

  /** Where what listens on this port is dialled. @throws HitchError NOT_FOUND where no program of this node's does. */
  addressesOf(port: number): readonly string[] {
    const found = this.#find().find(entry => entry.port === port);
    if (found === undefined) {
      throw new HitchError(
        'NOT_FOUND',
        `No program of this cluster listens on port ${port.toString()} of this node.`,
        { next: 'Start it there first; it takes a moment until it listens.' },
      );
    }
    return found.addresses;
  }

  #find(): Found[] {
    const { reader, root = '/proc' } = this.#options;
    if (reader === null) {
      throw new HitchError('CONFLICT', 'This machine does not show what listens on it: only Linux does.');
    }
    const listening = ['tcp', 'tcp6'].flatMap(name => listeningSockets(read(join(root, 'net', name))));
    const ray = this.#options.ray();
    const left = new Set([...this.#ofKernels(), ...(ray === null ? [] : ofRay(ray.ports))]);
    const byPort = new Map<number, Found>();
    const dashboard = ray?.isHead === true ? ray.ports.dashboard : null;
    if (dashboard !== null && listening.some(({ port }) => port === dashboard)) {
      const known = { port: dashboard, process: 'ray', known: 'ray', addresses: ['127.0.0.1'] } as const;
      byPort.set(dashboard, known);
    }
    for (const { pid, name } of reader.processes()) {
      const folder = join(root, pid.toString());
      const held = new Set(sockets(join(folder, 'fd')));
      for (const { port, address } of listening.filter(({ inode }) => held.has(inode))) {
        if (!left.has(port) && !byPort.has(port)) {
          const process = name.replace(/\p{Cc}/gu, '?').slice(0, MOST_SAID.name);
          const known = knownPort(argumentsOf(folder), port);
          byPort.set(port, { port, process, known, addresses: dialledAt(address) });
        }
      }
    }
    return [...byPort.values()].toSorted((one, other) => one.port - other.port);
  }

  #ofKernels(): number[] {
    const { runtimeFolder } = this.#options;
    return names(runtimeFolder)
      .filter(name => /^kernel-.*\.json$/.test(name))
      .flatMap(name => Object.values(connectionIn(read(join(runtimeFolder, name))) ?? {}));
  }
}

/** All of them: its workers have a range of their own. */
function ofRay({ firstWorker, lastWorker, ...single }: RayPorts): number[] {
  const workers = Array.from({ length: lastWorker - firstWorker + 1 }, (_, at) => firstWorker + at);
  return [...Object.values(single), ...workers];
}

function connectionIn(text: string): z.infer<typeof connectionSchema> | null {
  try {
    return connectionSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    // A kernel is just being started.
    return null;
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
