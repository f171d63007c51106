/** A network of which only the catalogue is simulated: a few documents that are read without an account. */
import type { SimAnswer, SimRequest, Simulator } from './simulator.ts';

export interface CatalogueOptions {
  readonly id: string;
  /** What each path answers to GET; it may change while it stands. */
  readonly documents: () => Readonly<Record<string, unknown>>;
  /** What it answers to any other path. */
  readonly unknown: SimAnswer;
}

export class CatalogueSimulator implements Simulator {
  readonly id: string;
  /** Every request, as it came. */
  readonly asked: SimRequest[] = [];
  readonly #options: CatalogueOptions;

  constructor(options: CatalogueOptions) {
    this.id = options.id;
    this.#options = options;
  }

  handle(request: SimRequest): Promise<SimAnswer> {
    this.asked.push(request);
    const document: unknown = this.#options.documents()[request.path];
    return Promise.resolve(
      request.method !== 'GET' || document === undefined
        ? this.#options.unknown
        : { status: 200, body: document },
    );
  }

  rentals(): readonly [] {
    return [];
  }

  bill(): readonly [] {
    return [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
