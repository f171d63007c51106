/** Makes a far machine ready once: sends the program that does it, starts it apart from the connection and follows it. */
import { createHash } from 'node:crypto';
import { type EnvironmentLock, HostError, type PythonNeeds } from '../../access/host.ts';
import { shellWord } from '../../access/tunnel/far-shell.ts';
import { shippedHashes } from '../python.ts';
import { type BootstrapEnd, BootstrapLog } from './bootstrap-log.ts';
import { lookAt, overSsh, runWith } from './far-programs.ts';
import type { FarPrograms } from './place.ts';
import { bootstrapProblem } from './problems.ts';
import { BOOTSTRAP, FETCH, FOLLOW, LAUNCH, READY } from './program-texts.ts';
import {
  SupplyError,
  type SupplyOptions,
  supply,
  type Wanted,
  wantedProgram,
  wantedPython,
} from './supply.ts';
import { valueLines } from './values.ts';

export interface BootstrapOptions extends SupplyOptions {
  readonly ref: string;
  readonly programs: FarPrograms;
  readonly needs: PythonNeeds;
  /** A cluster's own environment in the place of the one with Hitch's packages; null: that one. */
  readonly own: EnvironmentLock | null;
}

export interface Ready {
  readonly node: string;
  readonly python: string;
}

/** @throws HostError with the sentence that says what is wrong there; what was done so far stays for the next try. */
export async function bootstrap(options: BootstrapOptions): Promise<Ready> {
  const { shell, ref, root, report, signal } = options;
  const lock = options.own?.text ?? shippedHashes();
  const values = valuesOf(options, lock);
  const ready = new BootstrapLog(() => undefined);
  const { lines } = await runWith(shell, READY, values, signal);
  ready.take(Buffer.from(`${lines.join('\n')}\n`));
  if (ready.end.kind === 'ok' && isWhatWasAsked(options, ready.end)) {
    return ready.end;
  }
  report('Sending what sets the machine up.');
  const at = `${root}/bootstrap`;
  const files = [
    [`${at}/${ref}.values`, valueLines(values)],
    [`${at}/bootstrap.sh`, BOOTSTRAP],
    [`${at}/fetch.py`, FETCH],
    [`${at}/${values.LOCK_NAME}.txt`, lock],
  ] as const;
  await Promise.all(
    files.map(([path, content]) => overSsh(() => shell.put(path, Buffer.from(content), 0o600, signal))),
  );
  const sent = new Set<string>();
  for (;;) {
    const log = await runOnce(options, values);
    const { end } = log;
    if (end.kind === 'ok') {
      if (isWhatWasAsked(options, end)) {
        return end;
      }
      // Another set-up of this machine was under way, and was followed to its end.
      continue;
    }
    const missing = missingThere(options, end, log.pythonVersion, lock);
    if (missing === null || sent.has(missing.what)) {
      throw await problemNow(options, end);
    }
    sent.add(missing.what);
    try {
      await supply(options, missing);
    } catch (cause) {
      throw cause instanceof SupplyError ? alsoNotHere(await problemNow(options, end), cause) : cause;
    }
    if (end.kind === 'failed' && end.why === 'offline') {
      values.OFFLINE = end.words;
      await overSsh(() => shell.put(`${at}/${ref}.values`, Buffer.from(valueLines(values)), 0o600, signal));
    }
  }
}

const isWhatWasAsked = ({ own, root }: BootstrapOptions, { python }: Ready): boolean =>
  python.startsWith(`${root}/envs/`)
    ? own !== null && python.startsWith(`${root}/envs/${own.id}/`)
    : own === null;

async function problemNow(
  { shell, root, signal }: BootstrapOptions,
  end: Exclude<BootstrapEnd, { kind: 'ok' }>,
): Promise<HostError> {
  const place = (await lookAt(shell, signal)).places.find(found => found.root === root);
  return bootstrapProblem(end, { name: shell.name, root, freeMiB: place?.freeMiB ?? null });
}

/** What is wrong there, and why this computer does not help. This one may do so later. */
const alsoNotHere = (there: HostError, here: SupplyError): HostError =>
  new HostError(`${there.message} ${here.message}`, { fatal: false, cause: here });

/** Starts it apart from the connection, unless it runs already, and follows it to its end. */
async function runOnce(
  { shell, ref, root, report, signal }: BootstrapOptions,
  values: Readonly<Record<string, string>>,
): Promise<BootstrapLog> {
  const log = new BootstrapLog(report);
  const launched = await runWith(shell, LAUNCH, values, signal);
  if (launched.code === 0) {
    const program = `ROOT=${shellWord(root)}\nRUN=${shellWord(ref)}\n${FOLLOW}`;
    await overSsh(() => shell.follow(program, bytes => log.take(bytes), signal));
  }
  return log;
}

/** What the machine could not fetch and this computer may bring it; null: that would not help. */
function missingThere(
  { programs, root, own }: BootstrapOptions,
  end: Exclude<BootstrapEnd, { kind: 'ok' }>,
  pythonVersion: string | null,
  lock: string,
): Wanted | null {
  if (end.kind !== 'failed') {
    return null;
  }
  const { node, uv, python } = programs;
  if (end.stage === 'python' && end.why === 'wanted' && own?.python === minorOf(python.version)) {
    return wantedPython(python, `${root}/cache/python-${python.version}.tar.gz`);
  }
  if (end.stage === 'python' && ['none', 'old', 'new'].includes(end.why)) {
    return wantedPython(python, `${root}/cache/python-${python.version}.tar.gz`);
  }
  if (!['offline', 'unlisted', 'nothing'].includes(end.why)) {
    return null;
  }
  switch (end.stage) {
    case 'node':
      return wantedProgram('Node', node, `${root}/cache/node-${node.name}/node`);
    case 'uv':
      return wantedProgram('uv', uv, `${root}/cache/uv-${uv.name}/uv`);
    case 'packages':
      return pythonVersion === null
        ? null
        : {
            what: 'packages',
            pins: lock,
            pythonVersion,
            target: `${root}/cache/wheels-${own?.id ?? nameOf(lock)}`,
          };
    default:
      return null;
  }
}

const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.');

const nameOf = (lock: string): string => createHash('sha256').update(lock).digest('hex').slice(0, 12);

function valuesOf({ ref, root, programs, needs, own, environment }: BootstrapOptions, lock: string) {
  const { node, uv, python } = programs;
  return {
    ROOT: root,
    RUN: ref,
    LOCK_NAME: own?.id ?? nameOf(lock),
    OWN_PYTHON: own?.python ?? '',
    HASHES: lock.includes('--hash=') ? '--require-hashes' : '',
    // Why the machine reaches no index, once it was found out.
    OFFLINE: '',
    PACKAGES: pinsIn(lock).length.toString(),
    // The nodes of a cluster must have one Ray between them; a machine's own is used where it is that one.
    RAY: needs.ray && own === null ? (/^ray(?:\[[^\]]*\])?==(\S+)/m.exec(lock)?.[1] ?? '') : '',
    INDEX: indexOf(environment),
    NODE_NAME: node.name,
    NODE_WHEEL: node.file,
    NODE_SHA: node.sha256,
    NODE_BYTES: node.bytes.toString(),
    UV_NAME: uv.name,
    UV_WHEEL: uv.file,
    UV_SHA: uv.sha256,
    UV_BYTES: uv.bytes.toString(),
    UV_MEMBER: uv.member,
    PYTHON_NAME: python.version,
  };
}

/** `name==version` of each package. */
export function pinsIn(lock: string): readonly string[] {
  return lock.split('\n').flatMap(line => /^[A-Za-z][^\s=]*==[^\s;\\]+/.exec(line)?.[0] ?? []);
}

/**
 * The package index that this computer's user has set, for machines on which nobody set one. One with a name and a
 * password in it stays here: the machine is not to hold them.
 */
export function indexOf(environment: NodeJS.ProcessEnv): string {
  const named = ['UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'PIP_INDEX_URL'].flatMap(name => {
    const value = environment[name];
    return value === undefined || !URL.canParse(value) ? [] : [new URL(value)];
  });
  const usable = named.find(({ protocol, username }) => /^https?:$/.test(protocol) && username === '');
  return usable?.href ?? '';
}
