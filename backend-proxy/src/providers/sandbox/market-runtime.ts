import type { Host } from '../../access/host.ts';
import type { SshAddress } from '../../ledger/records.ts';
import type { CatalogueEntry } from './catalogue.ts';
import type { Rental } from './market-storage.ts';

export const ranksOf = ({ members }: Pick<Rental, 'members'>): readonly number[] =>
  Array.from({ length: members }, (_, rank) => rank);

/** When the last of them ended; null while one has not. */
export function lastOf(ends: readonly (number | null)[]): number | null {
  const known = ends.filter(end => end !== null);
  return known.length < ends.length || known.length === 0 ? null : Math.max(...known);
}

/** What stands behind a rental: processes on this computer, machines behind an sshd, or only records. */
export interface MarketRuntime {
  /** @throws when the label cannot be used for another machine. */
  reserve(ref: string): void;
  /** The way in to one of its machines, by its rank; left out where ssh leads there. */
  host?(rental: Rental, rank: number, offer: CatalogueEntry): Host;
  /** Where ssh leads to one of its machines. Either this or {@link host} is there. */
  ssh?(rental: Rental, rank: number): Promise<SshAddress>;
  /** Ends its machines; resolves when nothing of them is left. */
  end(rental: Rental): Promise<void>;
  /** Ends one of them. */
  endMember(rental: Rental, rank: number): Promise<void>;
  /** When everything on its machines ended by itself; null while something runs or nothing ran yet. */
  endedByItselfAtMs(rental: Rental): Promise<number | null>;
}
