/** Where a machine of the tests can have its home: it gets Python packages, and sockets whose paths are short. */
import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What Hitch asks of a far machine, and what its programs take beside that. */
const NEEDED_BYTES = 2_500 * 1024 * 1024;
/** A socket's path may have 107 bytes, of which names of ours below it are some 50. */
const LONGEST_PATH = 40;

/**
 * Makes a folder in the temporary one, or beside it where that has no room or a long name.
 * @throws Error that says what is wrong with each place.
 */
export function roomyFolder(prefix: string): string {
  const problems: string[] = [];
  for (const place of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    const problem = problemOf(place);
    if (problem === null) {
      return mkdtempSync(join(place, prefix));
    }
    problems.push(`${place} ${problem}`);
  }
  throw new Error(`A machine of the tests needs a folder with 2.5 GB of room: ${problems.join(', ')}.`);
}

function problemOf(place: string): string | null {
  if (Buffer.byteLength(place) > LONGEST_PATH) {
    return 'is too long';
  }
  try {
    const { bavail, bsize } = statfsSync(place);
    return bavail * bsize < NEEDED_BYTES ? `has ${Math.round((bavail * bsize) / 1e6).toString()} MB` : null;
  } catch {
    return 'is not there';
  }
}
