/** A store on a disk that is full, that answers errors, or that is slow; what it refuses is not stored. */
import { HitchError } from '@hitch/contract';
import type { Change, Store } from '../../backend-proxy/src/ledger/store.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { type Random, randomInt } from '@hitch/platform/src/random.ts';
import { Queue } from '../../backend-proxy/src/store/memory-disk.ts';
import type { PurchaseFile } from '../../backend-proxy/src/store/purchase-file.ts';
import type { Mortal } from './mortal.ts';
import type { StorePlan } from './plan.ts';
import { commitName } from './written.ts';

export interface TroubleOptions {
  readonly plan: StorePlan;
  readonly clock: Clock;
  readonly random: Random;
  /** From here on the disk is well, so that the run can end. */
  readonly isOver: () => boolean;
  readonly onFault: (name: string) => void;
  /** Hears of every change that stands. */
  readonly onWritten: (change: Change) => void;
}

/** @throws HitchError STORAGE_FULL */
export function checkRoomOn({
  plan,
  clock,
  isOver,
  onFault,
}: Pick<TroubleOptions, 'plan' | 'clock' | 'isOver' | 'onFault'>): void {
  const nowMs = clock.now();
  if (!isOver() && plan.fullAtMs !== null && nowMs >= plan.fullAtMs && nowMs < plan.fullUntilMs) {
    onFault('the disk is full');
    throw refused('the disk is full');
  }
}

export function troubledStore(store: Store, options: TroubleOptions): Store {
  const { plan, clock, random, isOver, onFault, onWritten } = options;
  // One after the other, as the store's contract says, also where one takes long.
  const queue = new Queue();
  const checkRoom = () => checkRoomOn(options);
  const commit = async (change: Change): Promise<void> => {
    checkRoom();
    if (!isOver() && random.next() < plan.slowChance) {
      onFault('the disk is slow');
      await clock.sleep(randomInt(random, 1, 30_000));
    }
    const isMeant = plan.errorsOn === null || plan.errorsOn === commitName(change);
    if (!isOver() && isMeant && random.next() < plan.errorChance) {
      onFault('the disk answers an error');
      throw refused('the disk answered an error');
    }
    await store.commit(change);
    onWritten(change);
  };
  return {
    load: async () => {
      checkRoom();
      return store.load();
    },
    commit: change => queue.add(() => commit(change)),
    eventsOf: (id, afterSeq, limit) => store.eventsOf(id, afterSeq, limit),
    eventsAfter: (position, limit) => store.eventsAfter(position, limit),
    forgottenCost: (fromMs, toMs) => store.forgottenCost(fromMs, toMs),
    trouble: async () => (await store.trouble?.()) ?? null,
    renew: async (rows, stamp) => {
      checkRoom();
      return (await store.renew?.(rows, stamp)) ?? null;
    },
    close: () => store.close(),
  };
}

/** The purchase log on the same disk. */
export function troubledPurchases(file: PurchaseFile, mortal: Mortal, checkRoom: () => void): PurchaseFile {
  const write = (name: string, run: () => Promise<void>) =>
    mortal.step(name, async () => {
      checkRoom();
      await run();
    });
  return {
    read: () => file.read(),
    append: text => write('purchases.append', () => file.append(text)),
    replace: text => write('purchases.replace', () => file.replace(text)),
    isWhole: () => file.isWhole(),
  };
}

const refused = (why: string): HitchError => new HitchError('STORAGE_FULL', `Cannot write hitch.db: ${why}.`);
