/** What the store's thread and its caller say to each other. */
import { HitchError, type ClusterId, type ErrorEnvelope } from '@hitch/contract';
import type { EventRecord } from '../ledger/records.ts';
import type { Change, Snapshot, StoreTrouble } from '../ledger/store.ts';

export type Request =
  | { readonly kind: 'load'; readonly nowMs: number }
  | { readonly kind: 'commit'; readonly change: Change }
  | {
      readonly kind: 'eventsOf';
      readonly clusterId: ClusterId;
      readonly after: number;
      readonly limit: number;
    }
  | { readonly kind: 'eventsAfter'; readonly after: number; readonly limit: number }
  | { readonly kind: 'forgottenCost'; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: 'trouble' }
  | { readonly kind: 'renew'; readonly rows: Change; readonly stamp: string }
  | { readonly kind: 'close' };

export interface Answers {
  load: Snapshot;
  commit: null;
  eventsOf: readonly EventRecord[];
  eventsAfter: readonly EventRecord[];
  forgottenCost: bigint;
  trouble: StoreTrouble | null;
  renew: string | null;
  close: null;
}

/** First the outcome of opening, under id 0; then one answer for each request. */
export type Answer =
  | { readonly id: number; readonly value: Answers[keyof Answers] }
  | { readonly id: number; readonly error: ErrorEnvelope };

export function fromEnvelope(envelope: ErrorEnvelope): HitchError {
  return new HitchError(envelope.code, envelope.message, {
    ...(envelope.field === undefined ? {} : { field: envelope.field }),
    ...(envelope.next === undefined ? {} : { next: envelope.next }),
  });
}
