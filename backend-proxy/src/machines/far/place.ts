/** Where on a far machine Hitch's own things lie, and whether it can be used at all. Pure: the tests read every sentence. */
import { HostError } from '../../access/host.ts';
import type { FarFacts, FarPlace } from './facts.ts';
import { archOf, nodeFor, type PinnedPython, type PinnedWheel, pythonFor, uvFor } from './wheels.ts';

/** Node, uv, the packages and what unpacking them takes for a moment. */
export const NEEDED_MIB = 2_000;
/** Below it lies the agent's socket (`/s/` and a name of 17 signs), whose path may have no more than 100 bytes. */
const LONGEST_ROOT_BYTES = 80;

/** What a machine was rented or written down with. */
export interface Promised {
  readonly gpuCount: number;
}

export interface FarPrograms {
  readonly node: PinnedWheel;
  readonly uv: PinnedWheel;
  /** For a machine that has none and can fetch none. */
  readonly python: PinnedPython;
}

/** @throws HostError where no cluster can run on such a machine. @returns what it is given. */
export function programsFor(name: string, facts: FarFacts): FarPrograms {
  const refuse = (sentence: string): never => {
    throw new HostError(sentence, { fatal: true });
  };
  const arch = archOf(facts.arch);
  if (facts.os !== 'Linux') {
    return refuse(`${name} runs ${facts.os}: Hitch uses machines with Linux only.`);
  }
  if (arch === null) {
    return refuse(
      `${name} has an ${facts.arch} processor, for which Ray does not exist: use an x86-64 or ARM64 machine.`,
    );
  }
  if (facts.libc.name === 'musl') {
    return refuse(
      `${name} runs ${facts.system || 'a system'} with the C library musl, for which Ray does not exist: use a system with glibc (Debian, Ubuntu, Fedora…).`,
    );
  }
  // A system that does not say which glibc it has gets the program that most of them run; whether it runs is tried.
  const node = nodeFor(arch, facts.libc.name === 'unknown' ? '2.28' : facts.libc.version);
  if (node === null) {
    return refuse(
      `${name} has glibc ${facts.libc.version}, which is too old for Node: use a system with glibc 2.17 or newer.`,
    );
  }
  return { node, uv: uvFor(arch), python: pythonFor(arch) };
}

/**
 * Ray of several machines listens on every address of each, where its ports are closed to others or stay open.
 * @throws HostError where anybody on the internet could reach them.
 */
export function checkClosed(name: string, { publicAddresses, staysOpen }: FarFacts): void {
  const [address] = publicAddresses;
  if (address !== undefined && staysOpen !== null) {
    throw new HostError(
      `${name} has the public address ${address}, where Ray's ports would be open to the internet: use it as a single machine, take a machine that only its own network reaches, or let nftables close its ports (${staysOpen}).`,
      { fatal: true },
    );
  }
}

/** @throws HostError where GPUs are missing that the machine was taken for. */
export function checkPromise(name: string, { gpus }: FarFacts, { gpuCount }: Promised): void {
  const found = gpus.gpus.length;
  if (found < gpuCount) {
    const said = gpus.problem === null ? '' : ` nvidia-smi says: ${gpus.problem}.`.replace(/\.\.$/, '.');
    throw new HostError(
      `${name} should have ${count(gpuCount)} and shows ${found === 0 ? 'none' : count(found)}: check its driver with nvidia-smi.${said}`,
      { fatal: true },
    );
  }
}

const count = (gpus: number): string => (gpus === 1 ? '1 GPU' : `${gpus.toString()} GPUs`);

/** Folders of Hitch that are there. The first is the one in use; there are more where an earlier one was closed since. */
export function usedRoots({ places }: FarFacts): readonly string[] {
  return places.filter(({ state }) => state === 'used').map(({ root }) => root);
}

/**
 * Hitch's folder: the one that is there, else one in the home folder, else where most room is. Never below /tmp, which
 * anybody may write to and a reboot empties.
 * @throws HostError that says of each place why it cannot be.
 */
export function chooseRoot(name: string, facts: FarFacts): string {
  const usable = facts.places.filter(place => problemOf(place) === null);
  const used = usable.find(({ state }) => state === 'used');
  const free = usable.filter(({ freeMiB }) => freeMiB >= NEEDED_MIB);
  const home = free.find(({ root }) => root.startsWith(`${facts.home}/`));
  const most = free.toSorted((one, other) => other.freeMiB - one.freeMiB)[0];
  const chosen = used ?? home ?? most;
  if (chosen === undefined) {
    const why = [
      ...facts.places.map(place => problemOf(place) ?? tooFull(place)),
      ...facts.silent.map(folder => `${folder} does not answer`),
      ...facts.passed.map(folder => `${folder} was not looked at, since it lies on a server`),
    ];
    throw new HostError(
      `${name} has no folder for Hitch's programs and packages, which take 2 GB: ${why.join('; ') || 'the home folder is not there'}. Make room there, or a folder /data that ${name}'s user may write to.`,
      { fatal: true },
    );
  }
  return chosen.root;
}

/** `/home/ada` for `/home/ada/.hitch/far`. */
const folderOf = (root: string): string => root.replace(/\/\.hitch[^/]*\/far$/, '') || '/';

function tooFull({ root, freeMiB }: FarPlace): string {
  return `${folderOf(root)} has ${freeMiB.toString()} MB free`;
}

function problemOf({ root, state, noexec }: FarPlace): string | null {
  if (state === 'closed') {
    return `${folderOf(root)} cannot be written to`;
  }
  if (state === 'odd') {
    return `${root.slice(0, -'/far'.length)} is not a folder of this user's`;
  }
  if (noexec) {
    return `${folderOf(root)} forbids starting programs (noexec)`;
  }
  return Buffer.byteLength(root) > LONGEST_ROOT_BYTES ? `${root} is too long for a socket's path` : null;
}
