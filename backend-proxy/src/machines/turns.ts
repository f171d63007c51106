/** One thing at a time for each machine: what reads its record and then writes it must not meet its end half way. */

/** The last work asked for of each machine's folder, whichever object asked. */
const last = new Map<string, Promise<unknown>>();

export async function inTurn<T>(machineFolder: string, work: () => Promise<T>): Promise<T> {
  const before = last.get(machineFolder) ?? Promise.resolve();
  const mine = before.then(work);
  const settled = mine.catch(() => undefined);
  last.set(machineFolder, settled);
  try {
    return await mine;
  } finally {
    if (last.get(machineFolder) === settled) {
      last.delete(machineFolder);
    }
  }
}
