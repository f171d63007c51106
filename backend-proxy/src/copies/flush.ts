/** What was copied here must outlive a loss of power: the machine it came from may be destroyed next. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** A disk that takes longer than this is not waited for. */
const LONGEST_MS = 120_000;

/** Has the system write out what it holds back for the disk that `folder` lies on; where it cannot, nothing happens. `ended` ends the waiting. */
export async function flushToDisk(folder: string, ended: AbortSignal): Promise<void> {
  const args = process.platform === 'linux' ? ['-f', folder] : [];
  if (process.platform !== 'win32') {
    const signal = AbortSignal.any([ended, AbortSignal.timeout(LONGEST_MS)]);
    await run('sync', args, { signal }).catch(() => undefined);
  }
}
