/** A store's file that cannot be read: how that is known, and how it is kept. */
import { existsSync, renameSync } from 'node:fs';

/** The store that stood here before is lost. */
export interface LostStore {
  /** Ends the sentence "The store …". */
  readonly why: string;
  /** Where what is left of it is kept; null: nothing is. */
  readonly keptAs: string | null;
}

/**
 * Moves the database and its log out of the way, so that nothing is ever deleted. @returns the new name; null where
 * nothing was there.
 */
export function setAside(path: string, stamp: string): string | null {
  const aside = freeName(`${path}.lost-${stamp}`);
  // The log first: a database without it is an older one, a log without its database would spoil the next.
  for (const end of ['-wal', '-shm', '']) {
    if (existsSync(`${path}${end}`)) {
      renameSync(`${path}${end}`, `${aside}${end}`);
    }
  }
  return existsSync(aside) ? aside : null;
}

function freeName(wanted: string): string {
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted}-${count.toString()}`;
    if (!existsSync(name) && !existsSync(`${name}-wal`)) {
      return name;
    }
  }
}
