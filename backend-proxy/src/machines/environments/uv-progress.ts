/** How far uv is with a list of packages, from the lines that it says where it has no terminal. Pure. */
import { format } from '@hitch/contract';

/** `Downloading torch (820.3MiB)`, ` Downloaded torch`: what is larger than a megabyte. */
const BEGINS = /^\s*Downloading (\S+) \(([\d.]+)(B|KiB|MiB|GiB)\)/;
const ENDS = /^\s*Downloaded (\S+)/;
const FACTORS: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

export class UvProgress {
  readonly #what: string;
  readonly #sizes = new Map<string, number>();
  #total = 0;
  #done = 0;

  /** @param what such as `Installing 127 packages` */
  constructor(what: string) {
    this.#what = what;
  }

  /** @returns what to say after this line, such as `Installing 127 packages: 1.9 of 3.2 GB, 0:41`; null: nothing new. */
  take(line: string, sinceMs: number): string | null {
    const [, name, size, unit = 'B'] = BEGINS.exec(line) ?? [];
    if (name !== undefined) {
      const bytes = Number(size) * (FACTORS[unit] ?? 1);
      this.#sizes.set(name, bytes);
      this.#total += bytes;
    } else {
      const ended = ENDS.exec(line)?.[1];
      const bytes = ended === undefined ? undefined : this.#sizes.get(ended);
      if (ended === undefined || bytes === undefined) {
        return null;
      }
      this.#sizes.delete(ended);
      this.#done += bytes;
    }
    return `${this.#what}: ${amount(this.#done, this.#total)}, ${format.elapsed(sinceMs)}`;
  }
}

const GIGABYTE = 1e9;

/** `1.9 of 3.2 GB`, in one unit. */
export function amount(done: number, total: number): string {
  return total >= GIGABYTE
    ? `${(done / GIGABYTE).toFixed(1)} of ${(total / GIGABYTE).toFixed(1)} GB`
    : `${Math.round(done / 1e6).toString()} of ${Math.round(total / 1e6).toString()} MB`;
}
