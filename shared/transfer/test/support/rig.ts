/** Two folders with the whole engine between them: this computer's disk, real HTTP, and an agent's disk. */
import { accessSync, constants, mkdirSync, mkdtempSync, realpathSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Conflict } from '@hitch/contract/src/copies.ts';
import { copyTree, type CopyHost } from '../../src/copy.ts';
import type { CopyPlan } from '../../src/copy-plan.ts';
import type { Totals } from '../../src/totals.ts';
import { DiskSource } from '../../src/disk-source.ts';
import { DiskTarget } from '../../src/disk-target.ts';
import { RemoteSide, type SendTransfer } from '../../src/remote.ts';
import { FETCH_RULES, SEND_RULES } from '../../src/rules.ts';
import type { DiskThread } from '../../src/thread/disk-thread.ts';
import { Account } from './account.ts';
import { removeTree } from './disk-view.ts';
import { Served } from './served.ts';

export type Direction = 'send' | 'fetch';

/** The root of what is copied, on either side. */
export const ROOT = 'tree';
/** The date that things get which are kept, of the copy of this number. */
export const stampOf = (copy: number): string => `2026-11-29 12.30.${copy.toString().padStart(2, '0')}`;

/** More tries than any plan of faults has faults. */
const MOST_TRIES = 1_000;

export interface Copied {
  /** Null: it was not copied because the person said so. */
  readonly wanted: boolean | null;
  readonly error: unknown;
  readonly account: Account;
  /** As they were when the manifest was whole. */
  readonly totals: Totals;
  readonly movedBytes: number;
}

export interface Asked {
  readonly conflict?: Conflict | null;
  readonly answer?: (totals: Totals) => Conflict | null;
  readonly signal?: AbortSignal;
  readonly send?: SendTransfer;
  readonly onEvent?: (event: 'listed' | 'moved' | 'again') => void;
  readonly plan?: Partial<CopyPlan>;
}

const ROOM_BYTES = 1024 ** 3;

/** In memory where that is a disk with room: thousands of files are made and forgotten. */
function quickDisk(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    accessSync('/dev/shm', constants.W_OK);
    return bavail * bsize > ROOM_BYTES ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
}

export type Disk = Pick<DiskThread, 'source' | 'target'>;

export const IN_THIS_THREAD: Disk = {
  source: confinedTo => new DiskSource(confinedTo),
  target: (base, throughLinks) => new DiskTarget({ base, throughLinks }),
};

export class Rig {
  readonly folder: string;
  /** This computer's folder, and the agent's work folder. */
  readonly here: string;
  readonly work: string;
  readonly served: Served;
  readonly #ownDisk: Disk;
  #copies = 0;

  private constructor(folder: string, served: Served, ownDisk: Disk) {
    this.#ownDisk = ownDisk;
    this.folder = folder;
    this.here = join(folder, 'here');
    this.work = join(folder, 'work');
    this.served = served;
  }

  /** @param disk of the agent. @param ownDisk where this computer's disk is read and written: in a thread, or here. @param work instead of a
   * folder of its own. */
  static async make(disk: Disk, ownDisk: Disk = IN_THIS_THREAD, work?: string): Promise<Rig> {
    const folder = realpathSync(mkdtempSync(join(quickDisk(), 'hx-')));
    mkdirSync(join(folder, 'here'));
    mkdirSync(join(folder, 'work'));
    const served = await Served.over(work ?? join(folder, 'work'), folder, disk);
    return new Rig(folder, served, ownDisk);
  }

  async dispose(): Promise<void> {
    await this.served.close();
    removeTree(this.folder);
  }

  /** Where the tree lies that is copied in this direction, and where it goes. */
  sides(direction: Direction): { readonly from: string; readonly to: string } {
    return direction === 'send' ? { from: this.here, to: this.work } : { from: this.work, to: this.here };
  }

  /** How the source is asked for the root. */
  rootOf(direction: Direction): string {
    return direction === 'send' ? join(this.here, ROOT) : ROOT;
  }

  async copy(direction: Direction, asked: Asked = {}): Promise<Copied> {
    const side = new RemoteSide(asked.send ?? this.served.send);
    const account = new Account(this.rootOf(direction));
    let totals: Totals = { files: 0, bytes: 0, sameFiles: 0, inTheWay: { count: 0, names: [] } };
    let movedBytes = 0;
    let tries = 0;
    this.#copies += 1;
    const host: CopyHost = {
      signal: asked.signal ?? new AbortController().signal,
      spool: { folder: join(this.folder, 'spool'), name: 'copy' },
      listed: now => {
        totals = now;
        asked.onEvent?.('listed');
      },
      ask: async now => asked.answer?.(now) ?? null,
      moved: bytes => {
        movedBytes += bytes;
        asked.onEvent?.('moved');
      },
      file: (state, bytes) => account.file(state, bytes),
      outcome: (outcome, path, detail) => account.add(outcome, path, detail),
      again: async error => {
        tries += 1;
        if (tries > MOST_TRIES) {
          throw error;
        }
        asked.onEvent?.('again');
        await new Promise(resolve => setImmediate(resolve));
      },
    };
    const plan: CopyPlan = {
      ...(direction === 'send'
        ? { source: this.#ownDisk.source(null), target: side.asTarget(), rules: SEND_RULES }
        : {
            source: side,
            target: this.#ownDisk.target(this.here, false),
            rules: FETCH_RULES,
          }),
      roots: [this.rootOf(direction)],
      to: [ROOT],
      conflict: asked.conflict === undefined ? 'keep-both' : asked.conflict,
      stamp: stampOf(this.#copies),
      spareBytes: 0,
      ...asked.plan,
    };
    try {
      const wanted = await copyTree(plan, host);
      return { wanted, error: null, account, totals, movedBytes };
    } catch (error) {
      return { wanted: null, error, account, totals, movedBytes };
    }
  }
}
