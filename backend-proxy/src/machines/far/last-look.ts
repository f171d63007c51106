/** What machines said when they were looked at, so that a new way to one of them need not begin with another look. */
import type { HostFacts, MachineAddress } from '../../access/host.ts';
import type { FarFacts } from './facts.ts';

/** The machine, and where on it everything lies. */
export interface Found {
  readonly facts: FarFacts;
  readonly root: string;
  /** By how much its clock is before this computer's; negative: behind. */
  readonly clockAheadS: number;
}

export interface Looked {
  readonly found: Found;
  readonly facts: HostFacts;
}

/** Of one machine. */
export interface LastLook {
  get(): Looked | null;
  set(looked: Looked): void;
  forget(): void;
}

export class LastLooks {
  readonly #looks = new Map<string, Looked & { readonly at: string }>();

  /**
   * It holds for one place and the host key that is believed there: whoever shows another key is refused by `ssh` before
   * anything is asked, and who was given another address or key is another machine here.
   */
  of(name: string, address: MachineAddress): LastLook {
    const at = JSON.stringify([address.at, address.hostKey, address.privateAddress, address.ssh]);
    return {
      get: () => {
        const look = this.#looks.get(name);
        return look?.at === at ? look : null;
      },
      set: looked => void this.#looks.set(name, { ...looked, at }),
      forget: () => void this.#looks.delete(name),
    };
  }

  /** Those whose names begin so. */
  forget(beginning: string): void {
    [...this.#looks.keys()]
      .filter(name => name.startsWith(beginning))
      .forEach(name => this.#looks.delete(name));
  }
}
