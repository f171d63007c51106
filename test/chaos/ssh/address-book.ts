/**
 * Which machine answers at which address, over all networks of a run. An address is given to a machine when it first runs and
 * is free again when it does not; sometimes the next who has it is a stranger's machine, which lets everybody in.
 */
import { createHash } from 'node:crypto';
import type { Host } from '../../../backend-proxy/src/access/host.ts';
import type { SshAddress } from '../../../backend-proxy/src/ledger/records.ts';
import type { Random } from '@hitch/platform/src/random.ts';

export type Place = Extract<SshAddress, { kind: 'rented' }>;

/** Who answers. */
export interface Listener {
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  /** The keys that it lets in now; null: any. */
  readonly publicKeys: () => readonly string[] | null;
  /** What was put into its environment when it was bought, for it to prove its host key with; null: nothing. */
  readonly proof: string | null;
  /** What runs there; null: it is no machine of any installation of the run. */
  readonly host: (() => Host) | null;
}

export interface AddressBookOptions {
  readonly random: Random;
  /** How likely a stranger's machine gets the address of one that ended. */
  readonly recycleChance: number;
  readonly isOver: () => boolean;
  readonly onFault: (name: string) => void;
}

const FIRST_PORT = 20_000;

export class AddressBook {
  readonly #options: AddressBookOptions;
  readonly #listeners = new Map<string, Listener>();
  /** By network, instance and rank. */
  readonly #places = new Map<string, Place>();
  #given = 0;

  constructor(options: AddressBookOptions) {
    this.#options = options;
  }

  /** Where a machine that runs is: the same until it ends. Another machine never has the same host key. */
  placeOf(machine: string, listener: Omit<Listener, 'hostKey'>): Place {
    const known = this.#places.get(machine);
    if (known !== undefined) {
      return known;
    }
    const port = FIRST_PORT + this.#given++;
    const place: Place = { kind: 'rented', host: '203.0.113.7', port, user: 'root', hostKeys: null };
    this.#places.set(machine, place);
    this.#listeners.set(nameOf(place), { ...listener, hostKey: keyOf(`host ${machine}`) });
    return place;
  }

  at(place: Pick<Place, 'host' | 'port'>): Listener | undefined {
    return this.#listeners.get(nameOf(place));
  }

  /** It does not run any more. */
  free(machine: string): void {
    const { random, recycleChance, isOver, onFault } = this.#options;
    const place = this.#places.get(machine);
    if (place === undefined) {
      return;
    }
    this.#places.delete(machine);
    this.#listeners.delete(nameOf(place));
    if (!isOver() && random.next() < recycleChance) {
      onFault('a stranger’s machine at the address of one of ours');
      const hostKey = keyOf(`a stranger at ${nameOf(place)}`);
      this.#listeners.set(nameOf(place), { hostKey, publicKeys: () => null, proof: null, host: null });
    }
  }
}

const nameOf = ({ host, port }: Pick<Place, 'host' | 'port'>): string => `${host}:${port.toString()}`;

/** A public key that differs from every other; nobody signs with it. */
export const keyOf = (name: string): string =>
  `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA${createHash('sha256').update(name).digest('base64')}`;
