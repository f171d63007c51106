/** Finds an interpreter with pip on this computer, for what is fetched with it. */
import { PYTHONS, type RunCommand } from './python.ts';

/** @param named the one to try first, such as `HITCH_PYTHON`. @returns null where there is none. */
export async function findPython(
  named: string | undefined,
  run: RunCommand,
  signal: AbortSignal,
): Promise<string | null> {
  for (const candidate of [...(named === undefined || named === '' ? [] : [named]), ...PYTHONS]) {
    const { code } = await run(candidate, ['-c', 'import pip._vendor.packaging.markers, zipfile'], signal);
    signal.throwIfAborted();
    if (code === 0) {
      return candidate;
    }
  }
  return null;
}
