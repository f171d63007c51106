/** Makes a far machine ready once: sends the program that does it, starts it apart from the connection and follows it. */
import { createHash } from 'node:crypto';
import type { PythonNeeds } from '../../access/host.ts';
import { type FarShell, shellWord } from '../../access/tunnel/far-shell.ts';
import { shippedHashes } from '../python.ts';
import { BootstrapLog } from './bootstrap-log.ts';
import { lookAt, overSsh, runWith } from './far-programs.ts';
import { bootstrapProblem } from './problems.ts';
import { BOOTSTRAP, FETCH, FOLLOW, LAUNCH, READY } from './program-texts.ts';
import { valueLines } from './values.ts';
import type { PinnedWheel } from './wheels.ts';

export interface BootstrapOptions {
  readonly shell: FarShell;
  readonly ref: string;
  /** Hitch's folder there. */
  readonly root: string;
  readonly programs: { readonly node: PinnedWheel; readonly uv: PinnedWheel };
  readonly needs: PythonNeeds;
  readonly environment: NodeJS.ProcessEnv;
  readonly report: (sentence: string) => void;
  readonly signal: AbortSignal;
}

export interface Ready {
  readonly node: string;
  readonly python: string;
}

/** @throws HostError with the sentence that says what is wrong there; what was done so far stays for the next try. */
export async function bootstrap(options: BootstrapOptions): Promise<Ready> {
  const { shell, ref, root, report, signal } = options;
  const lock = shippedHashes();
  const values = valuesOf(options, lock);
  const ready = new BootstrapLog(() => undefined);
  const { lines } = await runWith(shell, READY, values, signal);
  ready.take(Buffer.from(`${lines.join('\n')}\n`));
  if (ready.end.kind === 'ok') {
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
  for (const [path, content] of files) {
    await overSsh(() => shell.put(path, Buffer.from(content), 0o600, signal));
  }
  const log = new BootstrapLog(report);
  const launched = await runWith(shell, LAUNCH, values, signal);
  if (launched.code === 0) {
    const program = `ROOT=${shellWord(root)}\nRUN=${shellWord(ref)}\n${FOLLOW}`;
    await overSsh(() => shell.follow(program, bytes => log.take(bytes), signal));
  }
  const { end } = log;
  if (end.kind === 'ok') {
    return end;
  }
  const place = (await lookAt(shell, signal)).places.find(found => found.root === root);
  throw bootstrapProblem(end, { name: shell.name, root, freeMiB: place?.freeMiB ?? null });
}

function valuesOf({ ref, root, programs, needs, environment }: BootstrapOptions, lock: string) {
  const { node, uv } = programs;
  return {
    ROOT: root,
    RUN: ref,
    LOCK_NAME: createHash('sha256').update(lock).digest('hex').slice(0, 12),
    PACKAGES: pinsIn(lock).length.toString(),
    // The nodes of a cluster must have one Ray between them; a machine's own is used where it is that one.
    RAY: needs.ray ? (/^ray(?:\[[^\]]*\])?==(\S+)/m.exec(lock)?.[1] ?? '') : '',
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
