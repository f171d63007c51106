/** Ends what a machine was on a far host, and takes away what Hitch keeps there. */
import { HostError } from '../../access/host.ts';
import type { FarShell } from '../../access/tunnel/far-shell.ts';
import { lookAt, runWith } from './far-programs.ts';
import { socketOf } from './paths.ts';
import { usedRoots } from './place.ts';
import { CLEAN, END } from './program-texts.ts';

/**
 * Ends every process of the machine `ref` there and removes its folder, its ports, its socket and its line in the crontab.
 * Packages stay in Hitch's folder. Resolves when all of it is gone; again for one that is gone already.
 * @throws HostError where something does not go.
 */
export async function endFar(shell: FarShell, ref: string, signal: AbortSignal): Promise<void> {
  const facts = await lookAt(shell, signal);
  const roots = usedRoots(facts);
  // Without a folder of ours there may be processes all the same: somebody removed it under them.
  for (const root of roots.length === 0 ? [''] : roots) {
    const values = { ROOT: root, REF: ref, SOCKET: root === '' ? '' : socketOf(root, ref) };
    const { lines, said } = await runWith(shell, END, values, signal);
    const last = lines.at(-1) ?? '';
    if (last === '::ended') {
      continue;
    }
    const left = /^::left (\d+)$/.exec(last)?.[1];
    throw new HostError(
      left === undefined
        ? `What Hitch left on ${shell.name} could not be removed: ${said || 'it said nothing'}.`
        : `${left} processes of ${ref} on ${shell.name} do not end.`,
      { fatal: false },
    );
  }
  // Hitch was somewhere there, and what does not answer now may have it.
  if (roots.length === 0 && facts.silent.length > 0) {
    throw new HostError(
      `What Hitch left on ${shell.name} could not be looked for: ${facts.silent.join(', ')} does not answer there.`,
      { fatal: false },
    );
  }
}

export interface Cleaned {
  /** Freed by this, in MiB. */
  readonly freedMiB: number;
}

/**
 * Removes Hitch's folder from a machine: the packages, Node and uv that clusters there share.
 * @throws HostError while a cluster is there or is being set up.
 */
export async function cleanFar(shell: FarShell, signal: AbortSignal): Promise<Cleaned> {
  let freedKib = 0;
  for (const root of usedRoots(await lookAt(shell, signal))) {
    const { lines, said } = await runWith(shell, CLEAN, { ROOT: root }, signal);
    const [word = '', value = ''] = (lines.at(-1) ?? '').split(' ');
    switch (word) {
      case '::freed':
        freedKib += Number(value);
        break;
      case '::used':
        throw new HostError(`${shell.name} is in use by ${value}: stop that cluster first.`, {
          fatal: false,
        });
      case '::busy':
        throw new HostError(`${shell.name} is being set up: wait until that is over.`, { fatal: false });
      default:
        throw new HostError(`${root} on ${shell.name} could not be removed: ${said || 'it said nothing'}.`, {
          fatal: false,
        });
    }
  }
  return { freedMiB: Math.round(freedKib / 1024) };
}
