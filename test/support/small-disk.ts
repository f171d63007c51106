/** A disk of a few megabytes that can be full, where the system lets one be mounted. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skip } from './processes.ts';

const PIECE_BYTES = 64 * 1024;

export class SmallDisk {
  /** The disk itself, with no link on the way. */
  readonly folder: string;
  readonly #filler: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#filler = join(folder, 'filler');
  }

  /** Skips the test, with the reason printed, where there can be none. */
  static mount(context: Mocha.Context, bytes: number): SmallDisk {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      skip(context, 'only root on Linux can mount a small disk');
    }
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'he-disk-')));
    try {
      const options = `size=${bytes.toString()}`;
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'hitch-test', folder], { stdio: 'ignore' });
    } catch {
      rmSync(folder, { recursive: true });
      skip(context, 'this system does not let a disk be mounted');
    }
    return new SmallDisk(folder);
  }

  /** Somebody else takes all the room there is. */
  fill(): void {
    const file = openSync(this.#filler, 'w');
    const piece = Buffer.alloc(PIECE_BYTES, 1);
    try {
      for (;;) {
        writeSync(file, piece);
      }
    } catch {
      // There it is full.
    } finally {
      closeSync(file);
    }
  }

  /** Room again, as much as what was copied leaves. */
  empty(): void {
    rmSync(this.#filler);
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.folder]);
    rmSync(this.folder, { recursive: true });
  }
}
