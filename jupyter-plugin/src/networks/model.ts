/** What the Networks tab knows: the networks as last heard, and what is being done on each machine. */
import type { NetworkInfo } from '@hitch/contract';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Deps } from '../actions/deps.ts';
import { sentenceOf } from '../actions/report.ts';

/** What is said beside a network or a machine: what is being done there, or what came of it. */
export interface Note {
  readonly kind: 'doing' | 'said' | 'problem';
  readonly lines: readonly string[];
  /** Ends what is being done; null: it cannot be ended, or is over. */
  readonly cancel: (() => void) | null;
}

export class NetworksModel {
  readonly #deps: Pick<Deps, 'hitch'>;
  readonly #changed = new Signal<this, void>(this);
  readonly #notes = new Map<string, Note>();
  /** Machines that are not ours and that a person wants to see no more, by network and id. */
  readonly #leftAlone = new Set<string>(readLeftAlone());
  #networks: readonly NetworkInfo[] | null = null;
  #problem: string | null = null;

  constructor(deps: Pick<Deps, 'hitch'>) {
    this.#deps = deps;
  }

  get changed(): ISignal<this, void> {
    return this.#changed;
  }

  /** Null until the first list has come; a failure empties nothing. */
  get networks(): readonly NetworkInfo[] | null {
    return this.#networks;
  }

  /** Why the list is not newer, a sentence; null: it is. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Machines with a note that are on no list: they are being added, or could not be. */
  get unlisted(): readonly string[] {
    const listed = (this.#networks ?? []).flatMap(({ machines }) => machines ?? []).map(({ name }) => name);
    return [...this.#notes.keys()].flatMap(key => {
      const name = key.startsWith(MACHINE) ? key.slice(MACHINE.length) : null;
      return name === null || listed.includes(name) ? [] : [name];
    });
  }

  isLeftAlone(key: string): boolean {
    return this.#leftAlone.has(key);
  }

  /** Remembered by this browser. */
  leaveAlone(key: string): void {
    this.#leftAlone.add(key);
    this.#keepLeftAlone();
  }

  /** Shows those of a network again. */
  showAgain(network: string): void {
    [...this.#leftAlone]
      .filter(key => key.startsWith(foreignKey(network, '')))
      .forEach(key => this.#leftAlone.delete(key));
    this.#keepLeftAlone();
  }

  #keepLeftAlone(): void {
    try {
      window.localStorage.setItem(LEFT_ALONE, JSON.stringify([...this.#leftAlone]));
    } catch {
      // A browser that keeps nothing shows them again with the next page.
    }
    this.#changed.emit();
  }

  noteOf(key: string): Note | null {
    return this.#notes.get(key) ?? null;
  }

  note(key: string, note: Note | null): void {
    if (note === null) {
      this.#notes.delete(key);
    } else {
      this.#notes.set(key, note);
    }
    this.#changed.emit();
  }

  async refresh(): Promise<void> {
    try {
      this.#networks = await this.#deps.hitch.client.api.networks.list();
      this.#problem = null;
    } catch (error) {
      this.#problem = sentenceOf(error);
    }
    this.#changed.emit();
  }

  dispose(): void {
    Signal.clearData(this);
  }
}

const LEFT_ALONE = 'jupyterlab_hitch:left-alone';

function readLeftAlone(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(window.localStorage.getItem(LEFT_ALONE) ?? '[]');
    return Array.isArray(kept) ? kept.filter(key => typeof key === 'string') : [];
  } catch {
    return [];
  }
}

export const foreignKey = (network: string, id: string): string => `foreign:${network}:${id}`;

const MACHINE = 'machine:';
export const machineKey = (name: string): string => `${MACHINE}${name}`;
export const networkKey = (id: string): string => `network:${id}`;
