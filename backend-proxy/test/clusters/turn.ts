/** Turns of the event loop for tests on virtual time, where the clock moves only once nothing is under way any more. */

/** Lets every promise that can go on do so; what waits for the real disk too, so that a busy machine changes nothing. */
export async function turn(): Promise<void> {
  do {
    await new Promise<void>(resolve => {
      setImmediate(resolve);
    });
  } while (process.getActiveResourcesInfo().some(isUnderWay));
}

/** The same, and what that sets going. */
export async function settle(): Promise<void> {
  await turn();
  await turn();
}

/** The virtual clock stands meanwhile: how long a disk takes decides about nothing. */
const isUnderWay = (resource: string): boolean => /^(FSReq|CloseReq|Immediate)/.test(resource);
