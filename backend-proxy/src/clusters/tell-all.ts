/** Waits for all, then fails with the first failure: one that hangs keeps no other from being told. */
export async function tellAll(telling: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(telling)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') {
    throw failed.reason;
  }
}
