/**
 * Opens the store and reads it, whatever has become of its file: on a full disk with the room that is kept for that, and
 * where it cannot be read a new one is made beside it. Only a newer Hitch's store is left alone.
 */
import { existsSync } from 'node:fs';
import { HitchError } from '@hitch/contract';
import { DAMAGED, type Snapshot, type Store } from '../ledger/store.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { fileStamp } from '@hitch/platform/src/file-stamp.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import type { DiskReserve } from '@hitch/platform/src/reserve.ts';
import { type LostStore, setAside } from '../store/damage.ts';
import { openStore } from '../store/open.ts';
import type { PurchaseLog } from '../store/purchase-log.ts';

export interface TakenStore {
  readonly store: Store;
  readonly snapshot: Snapshot;
  readonly lost: LostStore | null;
}

export interface TakeOptions {
  readonly home: Home;
  readonly clock: Clock;
  readonly log: Log;
  readonly reserve: DiskReserve;
  readonly purchaseLog: PurchaseLog;
}

/** @throws HitchError CONFLICT when another daemon holds it, STORAGE_FULL, VERSION_MISMATCH or INTERNAL, each a sentence. */
export async function takeStore(options: TakeOptions): Promise<TakenStore> {
  const { home, clock, log, reserve, purchaseLog } = options;
  const stood = existsSync(home.store);
  try {
    const taken = await openAndLoad(options);
    const lost = lostBefore(stood, taken.snapshot, purchaseLog);
    if (lost !== null) {
      log.error(`The store ${lost.why}.`);
    }
    return { ...taken, lost };
  } catch (error) {
    if (!(error instanceof HitchError)) {
      throw error;
    }
    if (error.code === 'STORAGE_FULL' && !reserve.isGiven && reserve.give()) {
      return takeStore(options);
    }
    if (error.code === 'STORAGE_FULL' && purchaseLog.purchases().length > 0) {
      return inMemory(options, error);
    }
    if (error.field !== DAMAGED) {
      throw error;
    }
    const keptAs = setAside(home.store, fileStamp(clock.now()));
    log.error('The store cannot be read: it is kept, and a new one is made.', {
      to: keptAs ?? '',
      error: error.message,
    });
    return { ...(await openAndLoad(options)), lost: { why: `could not be read: ${error.message}`, keptAs } };
  }
}

/** There is no store and no room for one, but machines that cost: they can be ended without. */
async function inMemory({ clock, log, reserve }: TakeOptions, refusal: HitchError): Promise<TakenStore> {
  log.error('There is no store, and none can be made: the records stand in memory.', {
    error: refusal.message,
  });
  // Money is spent only on what is kept.
  reserve.giveForGood();
  const store = await openStore({ path: ':memory:', now: () => clock.now() });
  const why = `cannot be opened or made: ${refusal.message} What happens now is not kept: free some space, then start Hitch again`;
  return { store, snapshot: await store.load(), lost: { why, keptAs: null } };
}

async function openAndLoad({ home, clock }: TakeOptions): Promise<Omit<TakenStore, 'lost'>> {
  const store = await openStore({ path: home.store, now: () => clock.now() });
  try {
    return { store, snapshot: await store.load() };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A store that was never opened before beside a purchase log that knows one, or an older one than it knows. */
function lostBefore(stood: boolean, snapshot: Snapshot, purchaseLog: PurchaseLog): LostStore | null {
  const { leaseEpoch, isLeaseTaken } = snapshot;
  // Where the lease could not be taken the store that was here last still has its last one.
  const isNewest = isLeaseTaken ? leaseEpoch > purchaseLog.lastEpoch : leaseEpoch >= purchaseLog.lastEpoch;
  if (isNewest || purchaseLog.lastEpoch === 0) {
    return null;
  }
  return {
    why: stood && leaseEpoch > 1 ? 'is older than the one that was here last' : 'that was here is gone',
    keptAs: null,
  };
}
