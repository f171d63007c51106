/**
 * Every purchase that is not confirmed gone, outside of the database: written down before the network is asked, so that
 * a lost database is not a lost bill. With it a daemon knows its own machines again, how to reach them, and the limits
 * they are under. What is over leaves its ref here, for ever: a network may show its machine again.
 */
import type { ClusterId } from '@hitch/contract';
import * as z from 'zod';
import { attempts } from '../ledger/kinds/attempt.ts';
import { clusters } from '../ledger/kinds/cluster.ts';
import { nodes } from '../ledger/kinds/node.ts';
import { refKey, refs } from '../ledger/kinds/ref.ts';
import type { AttemptRecord, ClusterRecord, NodeRecord, RefRecord } from '../ledger/records.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { PurchaseFile } from './purchase-file.ts';
import { encodeRecord } from './rows.ts';

/** A purchase as it was intended, and its cluster as it was last written. */
export interface Purchase {
  readonly cluster: ClusterRecord;
  readonly node: NodeRecord;
  /** Of several machines in one purchase: the nodes of the others. */
  readonly others: readonly NodeRecord[];
  readonly attempt: AttemptRecord;
}

const lineSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('bought'),
    cluster: clusters.schema,
    node: nodes.schema,
    others: z.array(nodes.schema).default([]),
    attempt: attempts.schema,
  }),
  z.object({ kind: z.literal('cluster'), cluster: clusters.schema }),
  z.object({ kind: z.literal('over'), ref: z.string(), kept: refs.schema.nullable().default(null) }),
  z.object({ kind: z.literal('ref'), kept: refs.schema }),
  z.object({ kind: z.literal('store'), epoch: z.number().int() }),
]);
type Line =
  | ({ readonly kind: 'bought' } & Purchase)
  | { readonly kind: 'cluster'; readonly cluster: ClusterRecord }
  | { readonly kind: 'over'; readonly ref: string; readonly kept: RefRecord | null }
  | { readonly kind: 'ref'; readonly kept: RefRecord }
  | { readonly kind: 'store'; readonly epoch: number };

/** Lines that say nothing any more, before the file is written anew without them. */
const STALE_LINES = 500;

interface Waiting {
  readonly text: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class PurchaseLog {
  /** Lines that could not be read, if any: said, and kept by nobody. */
  readonly unreadable: number;
  /** The lease of the database that this log stood beside last; 0: none. A database with a lower one is older. */
  readonly lastEpoch: number;
  readonly #file: PurchaseFile;
  readonly #log: Log;
  readonly #open = new Map<string, Purchase>();
  readonly #kept = new Map<ClusterId, string>();
  /** Refs of what is over, as they stand in the file; once the records are there too, these are asked. */
  #refs: () => Iterable<RefRecord>;
  #epoch = 0;
  #stale = 0;
  /** Lines in the file when it was read or written anew. */
  #lines = 0;
  /** Ends a line that a daemon died over; nothing was rented for it. */
  #mending: '' | '\n' = '';
  #waiting: Waiting[] = [];
  #writing: Promise<void> | null = null;
  /** What memory says and the file does not: it is written anew. */
  #isBehind = false;
  #saidSo = false;

  constructor(file: PurchaseFile, log: Log) {
    this.#file = file;
    this.#log = log;
    const over = new Map<string, RefRecord>();
    this.#refs = () => over.values();
    this.unreadable = this.#read(file.read(), over);
    this.lastEpoch = this.#epoch;
  }

  /** What may still bill, oldest first. */
  purchases(): readonly Purchase[] {
    return [...this.#open.values()];
  }

  /** What is over, oldest first. */
  refs(): Iterable<RefRecord> {
    return this.#refs();
  }

  /** Refs that its file may lack. From here on they are all asked for where the file is written anew. */
  keep(lacking: readonly RefRecord[], all: () => Iterable<RefRecord>): void {
    this.#refs = all;
    for (const kept of lacking) {
      void this.#tell({ kind: 'ref', kept: outside(kept) });
    }
  }

  has(ref: string): boolean {
    return this.#open.has(ref);
  }

  /** Resolves once it is on the disk: only then may the network be asked. @throws HitchError STORAGE_FULL. */
  async intend(purchase: Purchase): Promise<void> {
    const { ref } = purchase.attempt;
    this.#open.set(ref, purchase);
    this.#kept.set(purchase.cluster.id, kept(purchase.cluster));
    try {
      await this.#append({ kind: 'bought', ...purchase });
    } catch (error) {
      this.#open.delete(ref);
      throw error;
    }
  }

  /**
   * A purchase that is not over after all, or that was never written here. Nothing waits for the disk with it: where it
   * cannot be written now, the file is written anew later. Resolves once that is tried.
   */
  async reopen(purchase: Purchase): Promise<void> {
    const { cluster, attempt } = purchase;
    this.#open.set(attempt.ref, purchase);
    this.#kept.set(cluster.id, kept(cluster));
    await this.#tell({ kind: 'bought', ...purchase });
  }

  /** Nothing under this ref can cost any more. `kept`: what stays of it; null: its network was not asked. */
  over(ref: string, kept: RefRecord | null): void {
    if (this.#open.delete(ref)) {
      this.#stale += 2;
      void this.#tell({ kind: 'over', ref, kept: kept === null ? null : outside(kept) });
    }
  }

  /** A cluster with open purchases was changed: its limits, its name, whether it is to run. */
  changed(cluster: ClusterRecord): void {
    const now = kept(cluster);
    const known = this.#kept.get(cluster.id);
    if (known === undefined || known === now) {
      return;
    }
    this.#setCluster(cluster);
    this.#stale += 1;
    void this.#tell({ kind: 'cluster', cluster });
  }

  /** This database stands beside the purchase log from now on. */
  stands(epoch: number): void {
    this.#epoch = epoch;
    void this.#tell({ kind: 'store', epoch });
  }

  /** Writes the file anew where it was lost, could not be added to, or says much that is over. */
  async look(): Promise<void> {
    while (this.#writing !== null) {
      await this.#writing;
    }
    if (!this.#isBehind && this.#file.isWhole() && this.#stale < Math.max(STALE_LINES, this.#lines / 2)) {
      return;
    }
    // What is added meanwhile waits: it would go into the file that is replaced.
    await this.#inTurn(() => this.#rewrite());
  }

  async #rewrite(): Promise<void> {
    try {
      const lines = [lineText({ kind: 'store', epoch: this.#epoch })];
      for (const kept of this.#refs()) {
        if (!this.#open.has(kept.ref)) {
          lines.push(lineText({ kind: 'ref', kept: outside(kept) }));
        }
      }
      lines.push(...this.purchases().map(purchase => lineText({ kind: 'bought', ...purchase })));
      await this.#file.replace(lines.join(''));
      this.#lines = lines.length;
      this.#isBehind = false;
      this.#saidSo = false;
      this.#stale = 0;
    } catch (error) {
      if (!this.#saidSo) {
        this.#saidSo = true;
        this.#log.warn('The purchase log cannot be written anew; it is tried again.', {
          error: errorText(error),
        });
      }
    }
  }

  #read(text: string, over: Map<string, RefRecord>): number {
    let unreadable = 0;
    const lines = text.split('\n');
    this.#lines = lines.length;
    this.#mending = lines.pop() === '' ? '' : '\n';
    for (const line of lines.filter(one => one !== '')) {
      const parsed = parseLine(line);
      if (parsed === null) {
        unreadable += 1;
      } else {
        this.#take(parsed, over);
      }
    }
    return unreadable;
  }

  #take(line: Line, over: Map<string, RefRecord>): void {
    switch (line.kind) {
      case 'bought': {
        const { cluster, node, others, attempt } = line;
        this.#open.set(attempt.ref, { cluster, node, others, attempt });
        this.#kept.set(cluster.id, kept(cluster));
        over.delete(refKey(attempt));
        return;
      }
      case 'cluster':
        this.#setCluster(line.cluster);
        return;
      case 'over':
        this.#open.delete(line.ref);
        this.#stale += 2;
        if (line.kept !== null) {
          over.set(refKey(line.kept), line.kept);
        }
        return;
      case 'ref':
        over.set(refKey(line.kept), line.kept);
        return;
      case 'store':
        // The one that stood here last: one that was made anew after a loss begins again.
        this.#epoch = line.epoch;
    }
  }

  #setCluster(cluster: ClusterRecord): void {
    this.#kept.set(cluster.id, kept(cluster));
    for (const [ref, purchase] of this.#open) {
      if (purchase.cluster.id === cluster.id) {
        this.#open.set(ref, { ...purchase, cluster });
      }
    }
  }

  /** What nothing depends on: where it cannot be written now, the file is behind. */
  async #tell(line: Line): Promise<void> {
    try {
      await this.#append(line);
    } catch {
      this.#isBehind = true;
    }
  }

  #append(line: Line): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text: lineText(line), resolve, reject });
      if (this.#writing === null) {
        void this.#inTurn(() => this.#write());
      }
    });
  }

  /** One at a time touches the file; what came to wait meanwhile goes next. */
  #inTurn(run: () => Promise<void>): Promise<void> {
    // After this turn, so that all that is asked for in it shares one write.
    const writing = Promise.resolve()
      .then(run)
      .finally(() => {
        this.#writing = null;
        if (this.#waiting.length > 0) {
          void this.#inTurn(() => this.#write());
        }
      });
    this.#writing = writing;
    return writing;
  }

  /** All that waits goes together. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const taken = this.#waiting;
      this.#waiting = [];
      try {
        await this.#file.append(this.#mending + taken.map(({ text }) => text).join(''));
        this.#mending = '';
        taken.forEach(({ resolve }) => resolve());
      } catch (error) {
        taken.forEach(({ reject }) => reject(error));
      }
    }
  }
}

function parseLine(line: string): Line | null {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

/** What was counted of it is counted by the records: where these are lost, nothing of it is. */
const outside = (ref: RefRecord): RefRecord => ({
  ...ref,
  countedUntilMs: null,
  countedParts: null,
});

const lineText = (line: Line): string => `${encodeRecord(line)}\n`;

/** What of a cluster has to outlive its database. */
function kept({ name, desired, stopCause, skipSave, caps, save }: ClusterRecord): string {
  return JSON.stringify([name, desired, stopCause, skipSave, caps, save]);
}
