/** What the practice market rents for real: processes on this computer, with GPUs that are only numbers. */
import type { Host } from '../../access/host.ts';
import type { Machines } from '../../machines/machines.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { refOfRank } from '../../ledger/cluster-state.ts';
import { lastOf, type MarketRuntime, ranksOf } from './market-runtime.ts';
import { MarketRefusal } from './market-refusal.ts';
import type { Rental } from './market-storage.ts';

export class ProcessRuntime implements MarketRuntime {
  readonly #machines: Machines;
  readonly #cpuCores: number;

  /** @param cpuCores of this computer: no machine can have more for real. */
  constructor(machines: Machines, cpuCores: number) {
    this.#machines = machines;
    this.#cpuCores = cpuCores;
  }

  reserve(ref: string): void {
    if (this.#machines.get(ref) !== null) {
      throw new MarketRefusal('conflict', `The label ${ref} is in use.`);
    }
  }

  /** The machine is made when somebody first comes to it: a rental that nobody reaches leaves nothing here. */
  host(rental: Rental, rank: number, { fixed }: CatalogueEntry): Host {
    const ref = refOfRank(rental.ref, rank);
    if (this.#machines.get(ref) === null) {
      this.#machines.create({
        ref,
        provider: 'sandbox',
        offerId: `sandbox:${rental.entryId}`,
        pricePerHourMicroUsd: rental.pricePerHourMicroUsd,
        cpuCores: Math.min(fixed.cpuCores, this.#cpuCores),
        gpuCount: fixed.gpuCount,
        gpuModel: fixed.gpuModel,
        practice: true,
      });
    }
    return this.#machines.host(ref);
  }

  async end(rental: Rental): Promise<void> {
    await Promise.all(ranksOf(rental).map(rank => this.endMember(rental, rank)));
  }

  endMember({ ref }: Rental, rank: number): Promise<void> {
    return this.#machines.destroy(refOfRank(ref, rank));
  }

  async endedByItselfAtMs(rental: Rental): Promise<number | null> {
    return lastOf(
      await Promise.all(
        ranksOf(rental).map(rank => this.#machines.endedByItselfAtMs(refOfRank(rental.ref, rank))),
      ),
    );
  }
}
