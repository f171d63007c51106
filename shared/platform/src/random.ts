/** The one random source and the one id source, injected so that every race replays from a seed. */
import { randomBytes } from 'node:crypto';
import type {
  ApprovalId,
  AttemptId,
  ClusterId,
  CopyId,
  IdPrefix,
  JobId,
  NodeId,
  QuoteId,
} from '@hitch/contract';
import type { Clock } from './clock.ts';

export interface Random {
  /** 0 ≤ x < 1. */
  next(): number;
  /** `count` bytes; unguessable from the system source, reproducible from a seeded one. */
  bytes(count: number): Uint8Array;
}

export const systemRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: count => randomBytes(count),
};

/** sfc32 over a seed: fast, well spread, the same on every platform. For tests and the practice market's seed. */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88;
  let c = 0xb7e15162 ^ (seed << 13);
  let d = 1;
  const word = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let warmUp = 0; warmUp < 12; warmUp++) {
    word();
  }
  return {
    next: () => word() / 2 ** 32,
    bytes: count => Uint8Array.from({ length: count }, () => word() & 0xff),
  };
}

/** An integer, `low` ≤ n ≤ `high`. */
export function randomInt(random: Random, low: number, high: number): number {
  return low + Math.floor(random.next() * (high - low + 1));
}

/** One of `items`. @throws RangeError when there are none. */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random.next() * items.length)];
  if (item === undefined) {
    throw new RangeError('pick needs at least one item');
  }
  return item;
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A ULID: 10 characters of time, 16 of randomness. */
export function ulid(clock: Clock, random: Random): string {
  let time = Math.max(0, clock.now());
  let head = '';
  for (let digit = 0; digit < 10; digit++) {
    head = (CROCKFORD[time % 32] ?? '0') + head;
    time = Math.floor(time / 32);
  }
  const tail = Array.from(random.bytes(16), byte => CROCKFORD[byte % 32] ?? '0').join('');
  return head + tail;
}

interface IdKinds {
  clu: ClusterId;
  nod: NodeId;
  att: AttemptId;
  quo: QuoteId;
  cop: CopyId;
  apr: ApprovalId;
  job: JobId;
}

export interface Ids {
  next<P extends IdPrefix>(prefix: P): IdKinds[P];
  /** The mark on a rented thing: 20 lower-case letters and digits that any network takes as a label or name. */
  ref(): string;
  /** A secret of `bytes` random bytes in hex. */
  secret(bytes?: number): string;
}

export function createIds(clock: Clock, random: Random): Ids {
  return {
    next: <P extends IdPrefix>(prefix: P) => `${prefix}_${ulid(clock, random)}` as IdKinds[P],
    ref: () =>
      `hitch-${Array.from(random.bytes(14), byte => CROCKFORD[byte % 32] ?? '0')
        .join('')
        .toLowerCase()}`,
    secret: (bytes = 32) => Buffer.from(random.bytes(bytes)).toString('hex'),
  };
}
