/** What the thread of a disk and its caller say to each other. A call has a number; what belongs to it carries that. */
import type { ErrorEnvelope } from '@hitch/contract/src/errors.ts';
import type { Written } from '../entry.ts';

/** Which disk a call is about. */
export type DiskPlace =
  | { readonly side: 'source'; readonly confinedTo: string | null }
  | {
      readonly side: 'target';
      readonly base: string;
      readonly throughLinks: boolean;
      /** Where it is kept what copies of the same run have put there; null: nowhere. */
      readonly ownList: string | null;
    };

export type ToThread =
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly place: DiskPlace;
      readonly method: string;
      readonly args: readonly unknown[];
    }
  /** A piece of what a call reads, its end, or that it broke off. */
  | { readonly kind: 'input'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'inputEnd'; readonly id: number }
  | { readonly kind: 'inputFailed'; readonly id: number; readonly error: Failure }
  /** One more piece of output is wanted. */
  | { readonly kind: 'more'; readonly id: number }
  | { readonly kind: 'abort'; readonly id: number };

export type FromThread =
  | { readonly kind: 'output'; readonly id: number; readonly value: unknown }
  /** One more piece of input is wanted. */
  | { readonly kind: 'take'; readonly id: number }
  | { readonly kind: 'told'; readonly id: number; readonly written: readonly Written[] }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: Failure };

/** An error on its way between threads: one of ours as its envelope, one of the system's with its code. */
export interface Failure {
  readonly envelope: ErrorEnvelope | null;
  readonly message: string;
  readonly code: string;
}

/** Pieces that are on their way before the first is answered. */
export const PIECES_AHEAD = 3;
