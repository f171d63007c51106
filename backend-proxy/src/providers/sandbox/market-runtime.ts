import type { Host } from '../../access/host.ts';
import type { CatalogueEntry } from './catalogue.ts';
import type { Rental } from './market-storage.ts';

/** What stands behind a rental: processes on this computer, or only records. */
export interface MarketRuntime {
  /** @throws when the label cannot be used for another machine. */
  reserve(ref: string): void;
  host(rental: Rental, offer: CatalogueEntry): Host;
  /** Ends the machine; resolves when nothing of it is left. */
  end(rental: Rental): Promise<void>;
  /** When everything on the machine ended by itself; null while something runs or nothing ran yet. */
  endedByItselfAtMs(rental: Rental): Promise<number | null>;
}
