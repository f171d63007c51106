/**
 * Logins at networks: kept like secrets, apart from them, since no cluster is ever given one. What was read once is held in
 * memory, so that the keychain is not asked at each call; whoever changes it changes both.
 */
import { cutText, HitchError, type ProviderId } from '@hitch/contract';
import * as z from 'zod';
import type { LoginState, LoginValues } from '../providers/provider.ts';
import type { SecretStore } from './secret-store.ts';

const valuesSchema = z.record(z.string(), z.string());

export class Logins implements LoginState {
  readonly #store: SecretStore;
  readonly #known = new Map<ProviderId, LoginValues>();

  constructor(store: SecretStore) {
    this.#store = store;
  }

  /** Answers from a file, and asks no keychain. */
  has(network: ProviderId): boolean {
    return this.keptIn(network) !== null;
  }

  /** Null: nobody is logged in there. */
  keptIn(network: ProviderId): 'keychain' | 'file' | null {
    return this.#store.where(nameOf(network));
  }

  /** Null: nobody is logged in there. @throws HitchError where it is kept and cannot be read. */
  async values(network: ProviderId): Promise<LoginValues | null> {
    if (!this.has(network)) {
      return null;
    }
    const known = this.#known.get(network);
    if (known !== undefined) {
      return known;
    }
    const text = await this.#store.value(nameOf(network));
    const values = text === null ? null : read(text);
    if (text !== null && values === null) {
      throw new HitchError('INTERNAL', 'What is kept of this login cannot be read.', {
        next: 'Log in again.',
      });
    }
    if (values !== null) {
      this.#known.set(network, values);
    }
    return values;
  }

  /** @returns a sentence where it lies readable by the user because there is no keychain; null: it does not. */
  async set(network: ProviderId, values: LoginValues): Promise<string | null> {
    await this.#store.set(nameOf(network), JSON.stringify(values));
    this.#known.set(network, values);
    return this.keptIn(network) === 'file' ? (await this.#store.list()).warning : null;
  }

  /** @throws HitchError NOT_FOUND where nobody is logged in. */
  async remove(network: ProviderId): Promise<void> {
    await this.#store.remove(nameOf(network));
    this.#known.delete(network);
  }

  /** The text without any value of a login, whole, however long it is. */
  maskAll(text: string): string {
    return [...this.#known.values()]
      .flatMap(Object.values<string>)
      .filter(value => value.length >= SHORTEST_MASKED)
      .reduce((shown, value) => shown.replaceAll(value, '•••'), text);
  }

  /** The text without any value of a login that is known here: networks repeat what they were sent. */
  mask(text: string, values: LoginValues = {}): string {
    const secret = [...Object.values(values), ...[...this.#known.values()].flatMap(Object.values<string>)];
    return cutText(
      secret
        .filter(value => value.length >= SHORTEST_MASKED)
        .reduce((shown, value) => shown.replaceAll(value, '•••'), text),
      LONGEST_SENTENCE,
    );
  }
}

/** Shorter ones stand in ordinary words. */
const SHORTEST_MASKED = 4;
const LONGEST_SENTENCE = 1_000;

/** A name that the list of secrets takes; networks have no underscore of their own. */
const nameOf = (network: ProviderId): string => `LOGIN_${network.toUpperCase().replaceAll('-', '_')}`;

function read(text: string): LoginValues | null {
  try {
    return valuesSchema.parse(JSON.parse(text));
  } catch {
    // No cause: a parser's message quotes what it read.
    return null;
  }
}
