/** The mark of what is sold by bids: the market makes it from the whole order, and has no place for a label. */
import { createHash } from 'node:crypto';

/** What an order says of what is to run: the same order has the same mark, and no two of ours are the same. */
export interface Manifest {
  readonly ref: string;
  readonly entryId: string;
  readonly diskGiB: number | null;
  readonly image: string | null;
}

const START = 'manifest-';

export function manifestMark({ ref, entryId, diskGiB, image }: Manifest): string {
  const text = JSON.stringify([ref, entryId, diskGiB, image]);
  return `${START}${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

export const isManifestMark = (label: string): boolean => label.startsWith(START);
