/** The node's processes as `/proc` shows them. */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, join, sep } from 'node:path';

export interface NodeProcess {
  readonly pid: number;
  /** The pid with its start time: pids are used again. */
  readonly key: string;
  /** Its program, and its script where it has one; never an argument, which may be a secret. */
  readonly name: string;
  /** Of its own and of its children that have ended. */
  readonly cpuMs: number;
  readonly diskBytes: number;
}

export interface ProcessReader {
  /** Everything that people run on this node; not what Hitch and Ray run for them. */
  processes(): readonly NodeProcess[];
  /** What this machine has sent and received so far, loopback apart. */
  networkBytes(): number;
  /** The first of them that has a connection to another machine. */
  connected(processes: readonly NodeProcess[]): NodeProcess | null;
}

/** `/proc` counts in hundredths of a second on every architecture. */
const TICK_MS = 10;
const OF_RAY =
  /\/ray\/(?:core\/src\/ray|dashboard|autoscaler|_private)\/|-m ray\.(?:scripts\.scripts|util\.client\.server) |^ray-dashboard-|^ray::(?:IDLE|DashboardAgent|RuntimeEnvAgent|ServeController|ProxyActor)\b/;

export interface ProcOptions {
  /** The value of HITCH_NODE that everything here inherits. */
  readonly ref: string;
  readonly workFolder: string;
  readonly jupyterPid: () => number | null;
  readonly root?: string;
}

interface Stat {
  readonly pid: number;
  readonly key: string;
  readonly command: string;
  readonly parent: number;
  readonly cpuMs: number;
}

export function processReader(options: ProcOptions): ProcessReader {
  const { root = '/proc' } = options;
  const work = realpathSync(options.workFolder);
  /** Whether each process that lives is the node's: its environment is read once. */
  let known = new Map<string, boolean>();

  const isOurs = ({ pid, command, parent }: Stat, folder: string): boolean => {
    const isHitch = pid === process.pid || parent === process.pid || pid === options.jupyterPid();
    if (isHitch || /^sshd/.test(command)) {
      return false;
    }
    const environment = read(join(folder, 'environ')).split('\0');
    const isTagged = environment.includes(`HITCH_NODE=${options.ref}`);
    if (!isTagged && !isBelow(link(join(folder, 'cwd')), work)) {
      return false;
    }
    return !(environment.includes('HITCH_PROGRAM=ray') && OF_RAY.test(argumentsOf(folder).join(' ')));
  };

  return {
    processes: () => {
      const seen = new Map<string, boolean>();
      const found = readdirSync(root).flatMap(entry => {
        const folder = join(root, entry);
        const stat = /^\d+$/.test(entry) ? parseStat(read(join(folder, 'stat'))) : null;
        if (stat === null) {
          return [];
        }
        // A worker of Ray is idle at one look and has a task at the next.
        const isRays = stat.command.startsWith('ray::');
        const ours = (isRays ? undefined : known.get(stat.key)) ?? isOurs(stat, folder);
        seen.set(stat.key, ours);
        const { pid, key, cpuMs } = stat;
        return ours ? [{ pid, key, cpuMs, name: nameOf(stat, folder), diskBytes: diskBytes(folder) }] : [];
      });
      known = seen;
      return found;
    },
    networkBytes: () => parseNetwork(read(join(root, 'net', 'dev'))),
    connected: processes => {
      const remote = new Set(['tcp', 'tcp6'].flatMap(name => remoteSockets(read(join(root, 'net', name)))));
      return (
        processes.find(({ pid }) => sockets(join(root, pid.toString(), 'fd')).some(id => remote.has(id))) ??
        null
      );
    },
  };
}

/** The second field is the program's name in brackets and may hold anything, brackets and blanks too. */
export function parseStat(text: string): Stat | null {
  const command = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const number = (index: number): number => Number(fields[index]);
  const pid = Number.parseInt(text, 10);
  const ticks = number(11) + number(12) + number(13) + number(14);
  return Number.isNaN(pid) || Number.isNaN(ticks) || fields[0] === 'Z'
    ? null
    : {
        pid,
        key: `${pid.toString()}:${fields[19] ?? ''}`,
        command,
        parent: number(1),
        cpuMs: ticks * TICK_MS,
      };
}

export interface NetworkCounts {
  readonly received: number;
  readonly sent: number;
}

/** Bytes of this machine so far; none where the system does not show them in a file. */
export const networkCounts = (): NetworkCounts => countsOf(read('/proc/net/dev'));

/** All interfaces but loopback: bytes received and sent. */
export function parseNetwork(text: string): number {
  const { received, sent } = countsOf(text);
  return received + sent;
}

function countsOf(text: string): NetworkCounts {
  const counts = text
    .split('\n')
    .map(line => /^\s*([^:\s]+):\s*(.*)$/.exec(line))
    .filter(match => match !== null && match[1] !== 'lo')
    .map(match => (match?.[2] ?? '').split(/\s+/));
  const sum = (at: number): number => counts.reduce((all, fields) => all + Number(fields[at] ?? 0), 0);
  return { received: sum(0), sent: sum(8) };
}

/** Inodes of connections that are open to another machine: Ray's programs reach one another by the machine's own address. */
export function remoteSockets(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(
      ([, local = '', remote = '', state]) =>
        state === '01' && !isLoopback(remote) && addressOf(local) !== addressOf(remote),
    )
    .flatMap(fields => fields[9] ?? []);
}

/** As the kernel writes it: 127.x.y.z backwards; ::1 and ::ffff:127.x.y.z in words that are each backwards. */
const isLoopback = (remote: string): boolean =>
  /^(?:[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F):/.test(remote);

const addressOf = (socket: string): string => socket.slice(0, socket.indexOf(':'));

/** Inodes of the sockets that a process holds. @param folder the `fd` of its folder in `/proc` */
export function sockets(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap(
      name => /^socket:\[(\d+)\]$/.exec(link(join(folder, name)))?.[1] ?? [],
    );
  } catch {
    return [];
  }
}

function diskBytes(folder: string): number {
  const text = read(join(folder, 'io'));
  const figure = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return figure('read_bytes') + figure('write_bytes');
}

function nameOf({ command }: Stat, folder: string): string {
  // The kernel's own name for it may be its first thread's, and is cut after 15 letters.
  const [first = '', script = ''] = argumentsOf(folder);
  const program = basename(first.split(' ')[0] ?? '') || command;
  return /^[^-].*\.(?:py|sh|jl|R|js|pl)$/.test(script) ? `${program} ${basename(script)}` : program;
}

/** A process's command line. Its words may be secrets: they stay on this machine. */
export const argumentsOf = (folder: string): string[] => read(join(folder, 'cmdline')).split('\0');

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep);

/** '' for what has ended, or is somebody else's. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
