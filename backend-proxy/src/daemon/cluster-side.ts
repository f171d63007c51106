/** The cluster side as the daemon's composition sees it: built from the parts, started, stopped. */
import type { ClusterId } from '@hitch/contract';
import type { Parts } from '../clusters/parts.ts';
import type { ClusterService } from '../clusters/service.ts';
import type { OfferBook } from '../offers/offer-book.ts';
import type { Snapshot, Store } from '../store/store.ts';

export interface ClusterDeps extends Pick<
  Parts,
  'clock' | 'random' | 'ids' | 'log' | 'home' | 'providers' | 'agentBundlePath' | 'secrets' | 'webhookUrl'
> {
  readonly store: Store;
  readonly snapshot: Snapshot;
  readonly book: OfferBook;
}

export interface ClusterSide {
  readonly service: ClusterService;
  /** @throws HitchError NOT_FOUND for what cannot be an id. */
  parseId(text: string): ClusterId;
  /** Begins to move records forward. */
  start(): void;
  /** Ends every call under way; records stay as they are. */
  stop(): Promise<void>;
}

export type BuildClusters = (deps: ClusterDeps) => ClusterSide;
