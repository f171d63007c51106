/**
 * Reads a lock file: requirements with exact versions, as `uv pip compile` writes them (its header, comments and options too).
 * What a machine must have is computed from what is in it, since a floor that somebody declares goes stale.
 */
import type { TemplateProblem } from './problem.ts';
import type { Accelerator } from './schema.ts';
import { isAtLeast } from './rules-machine.ts';

export interface LockedPackage {
  /** As PEP 503 writes it: small letters, single hyphens. */
  readonly name: string;
  readonly version: string;
  readonly line: number;
  /** The environment that it is for, such as `sys_platform == 'linux'`; empty: all. */
  readonly marker: string;
  readonly hashes: number;
}

export interface Lock {
  readonly file: string;
  readonly packages: readonly LockedPackage[];
  /** The Python that its first lines say it was made for, such as `3.12`; null: they do not say. */
  readonly python: string | null;
}

export interface ReadLock {
  readonly lock: Lock;
  readonly problems: readonly TemplateProblem[];
}

/** Two thousand packages with their hashes; more is no lock. */
export const LONGEST_LOCK_BYTES = 4 * 1024 * 1024;

const NAME = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\s*\[[^\]]*\])?\s*/;
const RUN_LOCK = 'run hitch template lock.';

const normalised = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

/** One requirement over all of its lines, which end with a backslash but for the last. */
interface Entry {
  readonly text: string;
  readonly line: number;
}

function entriesOf(text: string): readonly Entry[] {
  const entries: Entry[] = [];
  let open: { text: string; line: number } | null = null;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const content: string = raw.replace(/(?:^|\s)#.*$/, '').trim();
    const goesOn = content.endsWith('\\');
    const part = goesOn ? content.slice(0, -1).trim() : content;
    if (open === null) {
      open = { text: part, line: index + 1 };
    } else {
      open.text = `${open.text} ${part}`.trim();
    }
    if (!goesOn) {
      if (open.text !== '') {
        entries.push(open);
      }
      open = null;
    }
  }
  return open === null || open.text === '' ? entries : [...entries, open];
}

export function readLock(file: string, text: string): ReadLock {
  const problems: TemplateProblem[] = [];
  const say = (line: number | null, sentence: string): void => {
    problems.push({ file, line, column: null, sentence });
  };
  const packages: LockedPackage[] = [];
  if (text.length > LONGEST_LOCK_BYTES) {
    say(null, `The lock has more than ${LONGEST_LOCK_BYTES / 1024 / 1024} MB; ${RUN_LOCK}`);
    return { lock: { file, packages, python: null }, problems };
  }
  for (const entry of entriesOf(text)) {
    const read = entry.text.startsWith('-') ? optionProblem(entry.text) : requirement(entry);
    if (typeof read === 'string') {
      say(entry.line, read);
    } else if (read !== null) {
      packages.push(read);
    }
  }
  if (packages.length === 0 && problems.length === 0) {
    say(null, `The lock is empty; ${RUN_LOCK}`);
  }
  sayTwice(packages, say);
  sayHashes(packages, say);
  return { lock: { file, packages, python: madeFor(text) }, problems };
}

const madeFor = (text: string): string | null =>
  /^#.*--python(?:-version)?[= ]"?(3\.\d{1,2})\b/m.exec(text.slice(0, 4000))?.[1] ?? null;

/** @returns what is wrong with an option's line; null for those that a lock may have. */
function optionProblem(text: string): string | null {
  const [option = '', value = ''] = text.split(/[\s=]+/, 2);
  switch (option) {
    case '-i':
    case '--index-url':
    case '--extra-index-url':
      return /^https:\/\/[^@\s]+$/.test(value)
        ? null
        : `“${option}” needs an address that begins with https:// and holds no name or password.`;
    case '--only-binary':
    case '--prefer-binary':
    case '--require-hashes':
      return null;
    case '-r':
    case '--requirement':
    case '-c':
    case '--constraint':
      return `“${text.slice(0, 60)}” leads to another file; a lock stands by itself: ${RUN_LOCK}`;
    default:
      return `“${text.slice(0, 60)}” cannot stand in a lock; ${RUN_LOCK}`;
  }
}

/** @returns the package, or what is wrong with its line. */
function requirement({ text, line }: Entry): LockedPackage | string {
  const [before = ''] = text.split(/\s--hash=/, 1);
  const hashes = [...text.matchAll(/\s--hash=sha(?:256|384|512):[0-9a-f]+/g)].length;
  const [wanted = '', marker = ''] = before.split(/\s*;\s*/, 2);
  const shown = `“${wanted.trim().slice(0, 80)}”`;
  const found = NAME.exec(wanted);
  if (found === null || /^(?:https?:|git\+|file:|\.|\/)/.test(wanted)) {
    return `${shown} is no package with its version; ${RUN_LOCK}`;
  }
  const [all, name = ''] = found;
  const rest = wanted.slice(all.length).trim();
  if (rest.startsWith('@')) {
    const address = rest.slice(1).trim();
    const [, version] = /\/[^/]*?-(\d[^-/]*)(?:-[^/]*)?\.(?:whl|tar\.gz|zip)/.exec(address) ?? [];
    if (!address.startsWith('https://') || (hashes === 0 && !/#sha256=[0-9a-f]{64}$/.test(address))) {
      return `${shown} comes from an address without a hash, where other bytes can lie tomorrow. Add #sha256=… to it.`;
    }
    return { name: normalised(name), version: version ?? '', line, marker, hashes: 1 };
  }
  const [, version] = /^===?\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)$/.exec(rest) ?? [];
  if (version === undefined) {
    return `${shown} is no exact version; ${RUN_LOCK}`;
  }
  return { name: normalised(name), version, line, marker, hashes };
}

type Say = (line: number | null, sentence: string) => void;

function sayTwice(packages: readonly LockedPackage[], say: Say): void {
  const first = new Map<string, LockedPackage>();
  for (const each of packages) {
    const before = first.get(`${each.name};${each.marker}`);
    if (before === undefined) {
      first.set(`${each.name};${each.marker}`, each);
    } else if (before.version !== each.version) {
      say(
        each.line,
        `${each.name} stands here as ${each.version} and on line ${before.line} as ${before.version}; keep one.`,
      );
    }
  }
}

/** pip takes hashes for all packages or for none. */
function sayHashes(packages: readonly LockedPackage[], say: Say): void {
  const bare = packages.find(({ hashes }) => hashes === 0);
  if (bare !== undefined && packages.some(({ hashes }) => hashes > 0)) {
    say(
      bare.line,
      `${bare.name} has no hash and others have; they are for all packages or for none: ${RUN_LOCK}`,
    );
  }
}

export const inLock = (lock: Lock, name: string): LockedPackage | undefined =>
  lock.packages.find(each => each.name === name);

export interface MachineNeeds {
  /** The major version of CUDA that the driver must run; null: none. */
  readonly cudaMajor: number | null;
  /** What says so, such as `nvidia-cuda-runtime 13.2.86`. */
  readonly because: string | null;
}

/**
 * CUDA from the runtime's package: `nvidia-cuda-runtime` since 13, `nvidia-cuda-runtime-cu12` and `-cu11` before. A driver
 * runs every minor version of its major one (NVIDIA's "minor version compatibility") and all before it.
 */
export function needsOf(lock: Lock): MachineNeeds {
  const runtime = lock.packages.find(({ name }) => /^nvidia-cuda-runtime(?:-cu\d+)?$/.test(name));
  const major = runtime === undefined ? Number.NaN : Number.parseInt(runtime.version, 10);
  return runtime === undefined || Number.isNaN(major)
    ? { cudaMajor: null, because: null }
    : { cudaMajor: major, because: `${runtime.name} ${runtime.version}` };
}

/** The first Ray that a token closes to strangers (RAY_AUTH_MODE=token). */
const LEAST_RAY = '2.52';

export interface LockUse {
  readonly accelerator: Accelerator;
  /** The template's. */
  readonly python: string;
  readonly needsRay: boolean;
  /** Its name; null: the template has none. */
  readonly notebook: string | null;
}

/** What of a lock does not fit the template that names it. */
export function lockProblems(
  lock: Lock,
  { accelerator, python, needsRay, notebook }: LockUse,
): readonly TemplateProblem[] {
  const problems: TemplateProblem[] = [];
  const say = (line: number | null, sentence: string): void => {
    problems.push({ file: lock.file, line, column: null, sentence });
  };
  const ray = inLock(lock, 'ray');
  if (ray !== undefined && !isAtLeast(ray.version, LEAST_RAY)) {
    say(
      ray.line,
      `ray ${ray.version} cannot be closed to strangers by a token; Hitch needs ${LEAST_RAY} or newer.`,
    );
  } else if (ray === undefined && needsRay) {
    say(null, `has no ray, which the engine “ray” needs on every node; ${RUN_LOCK}`);
  }
  if (notebook !== null && inLock(lock, 'ipykernel') === undefined) {
    say(null, `has no ipykernel, without which “${notebook}” gets no kernel; ${RUN_LOCK}`);
  }
  const { cudaMajor, because } = needsOf(lock);
  const wanted = accelerator === 'cuda13' ? 13 : accelerator === 'cuda12' ? 12 : null;
  if (wanted !== null && cudaMajor !== null && cudaMajor !== wanted) {
    say(
      null,
      `is the lock for ${accelerator} and brings CUDA ${cudaMajor} (${because ?? ''}); name it under the CUDA that it brings.`,
    );
  }
  const torch = inLock(lock, 'torch');
  const build = torch?.version.split('+')[1];
  if (torch !== undefined && build === 'cpu' && accelerator !== 'cpu') {
    say(
      torch.line,
      `torch ${torch.version} uses no GPU, and this is the lock for ${accelerator}; ${RUN_LOCK}`,
    );
  }
  if (lock.python !== null && lock.python !== python) {
    say(null, `was made for Python ${lock.python}, and the template names ${python}; ${RUN_LOCK}`);
  }
  return problems;
}

/** What an offer says of where a lock can run. */
export interface DriverCeiling {
  readonly gpuCount: number;
  readonly gpuModel: string | null;
  /** Newest CUDA the host's driver runs, such as `12.8`; null: not known. */
  readonly cudaMax: string | null;
}

export type Locks = Partial<Readonly<Record<Accelerator, Lock>>>;

const isAmd = (model: string | null): boolean =>
  model !== null && /\b(?:MI\d{2,3}|Radeon|RX \d|Instinct)/i.test(model);

/** Which lock a machine takes: the newest CUDA that its driver runs; null: there is none for it. */
export function lockFor(offer: DriverCeiling, locks: Locks): Accelerator | null {
  if (offer.gpuCount === 0) {
    return locks.cpu === undefined ? null : 'cpu';
  }
  if (isAmd(offer.gpuModel)) {
    return locks.rocm === undefined ? null : 'rocm';
  }
  const ceiling = offer.cudaMax === null ? Number.POSITIVE_INFINITY : Number.parseInt(offer.cudaMax, 10);
  const fitting = (['cuda13', 'cuda12'] as const).find(accelerator => {
    const lock = locks[accelerator];
    return lock !== undefined && (needsOf(lock).cudaMajor ?? Number(accelerator.slice(4))) <= ceiling;
  });
  return fitting ?? null;
}

/** What offers a lock's CUDA leaves out, said before anything is rented; null: none. */
export function ceilingNote(offers: readonly DriverCeiling[], locks: Locks): TemplateProblem | null {
  const cuda = (['cuda12', 'cuda13'] as const).flatMap(accelerator => locks[accelerator] ?? []);
  const [oldest] = cuda;
  const needs = oldest === undefined ? null : needsOf(oldest);
  if (oldest === undefined || needs === null || needs.cudaMajor === null) {
    return null;
  }
  const { cudaMajor, because } = needs;
  const cards = offers.filter(offer => offer.gpuCount > 0 && !isAmd(offer.gpuModel));
  const older = cards.filter(({ cudaMax }) => cudaMax !== null && Number.parseInt(cudaMax, 10) < cudaMajor);
  if (older.length === 0) {
    return null;
  }
  const majors = [...new Set(older.map(({ cudaMax }) => Number.parseInt(cudaMax ?? '', 10)))].sort(
    (a, b) => b - a,
  );
  const [newest = 0] = majors;
  const only = majors.map(major => `${major}.x`).join(' or ');
  const cure = newest === 12 ? 'Add a lock for cuda12 to use them.' : 'They are left out.';
  return {
    file: oldest.file,
    line: null,
    column: null,
    sentence: `brings CUDA ${cudaMajor} (${because ?? ''}); ${older.length} of ${cards.length} offers have a driver for CUDA ${only} only. ${cure}`,
  };
}
