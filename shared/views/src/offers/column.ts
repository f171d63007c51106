/** What a column of the offer table is. */
import type { Offer, OfferSortKey } from '@hitch/contract';
import type { Translate } from '../base/translate.ts';

/** What a cell's words need besides the offer. */
export interface CellContext {
  readonly t: Translate;
  /** A network's name as people know it. */
  readonly titleOf: (provider: string) => string;
  /** Whether a live run has confirmed a network; left out: not asked. */
  readonly isVerified?: (provider: string) => boolean;
}

export type CellTone = 'plain' | 'good' | 'warning' | 'quiet';

export interface OfferColumn {
  readonly id: string;
  readonly title: string;
  /** What the column means, where its title is short. */
  readonly explains: string;
  readonly sort: OfferSortKey | null;
  readonly widthPx: number;
  /** What it shrinks to where even the columns that always stay have no room; else it never does. */
  readonly leastPx?: number;
  /** Takes a share of the width that is left. */
  readonly grows: boolean;
  readonly numeric: boolean;
  /** The lower, the longer it stays when the table is narrow. */
  readonly priority: number;
  readonly text: (offer: Offer, context: CellContext) => string;
  /** What a screen reader says where the text is a sign; what a pointer sees as a tip. */
  readonly spoken?: (offer: Offer, context: CellContext) => string;
  readonly tone?: (offer: Offer) => CellTone;
}
