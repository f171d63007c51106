/**
 * Blocks of 150 consecutive ports, one for each node on this computer. A block is taken by creating a file that all
 * daemons of this user share, so that two homes never hand out the same one; ports that something listens on are
 * passed over.
 */
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

export const PORTS_PER_NODE = 150;
/** Above what people and programs use by habit, below what systems hand out by themselves. */
const FIRST_PORT = 12_000;
const BLOCKS = 133;

/** 0, 1, 2…: which block a base stands for. */
export function blockOf(portBase: number): number {
  return Math.floor((portBase - FIRST_PORT) / PORTS_PER_NODE);
}

/** Every block there can be, by its first and last port. */
export function portBases(): readonly { readonly first: number; readonly last: number }[] {
  return Array.from({ length: BLOCKS }, (_, block) => {
    const first = FIRST_PORT + block * PORTS_PER_NODE;
    return { first, last: first + PORTS_PER_NODE - 1 };
  });
}

export interface PortBlocks {
  /** Takes a block for the machine whose record is `machineFile`. @throws Error when all are taken. */
  take(machineFile: string): Promise<number>;
  release(portBase: number, machineFile: string): void;
}

export function portBlocks(folder = join(tmpdir(), `hitch-ports-${userInfo().username}`)): PortBlocks {
  const fileOf = (portBase: number) => join(folder, portBase.toString());
  return {
    take: async machineFile => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (let block = 0; block < BLOCKS; block++) {
        const portBase = FIRST_PORT + block * PORTS_PER_NODE;
        if (claim(fileOf(portBase), machineFile)) {
          if (await allFree(portBase)) {
            return portBase;
          }
          rmSync(fileOf(portBase), { force: true });
        }
      }
      throw new Error(`All ${BLOCKS.toString()} blocks of ports for nodes on this computer are taken.`);
    },
    release: (portBase, machineFile) => {
      if (readOr(fileOf(portBase)) === machineFile) {
        rmSync(fileOf(portBase), { force: true });
      }
    },
  };
}

/** Creates `file` with its owner in it, unless its owner's record still stands. */
function claim(file: string, machineFile: string): boolean {
  const owner = readOr(file);
  if (owner !== null) {
    if (existsSync(owner)) {
      return false;
    }
    rmSync(file, { force: true });
  }
  // A link appears with its content or not at all: nobody ever reads a claim without its owner.
  const draft = `${file}.${process.pid.toString()}`;
  try {
    writeFileSync(draft, machineFile, { mode: 0o600 });
    linkSync(draft, file);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readOr(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

async function allFree(portBase: number): Promise<boolean> {
  const ports = Array.from({ length: PORTS_PER_NODE }, (_, offset) => portBase + offset);
  const free = await Promise.all(ports.map(isFree));
  return free.every(Boolean);
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
