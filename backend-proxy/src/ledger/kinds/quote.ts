/** A quote: what was shown before the yes. */
import {
  type ClusterId,
  type MicroUsd,
  type Offer,
  type Quote,
  type QuoteId,
  type QuoteRequest,
  clusterIdSchema,
  quoteIdSchema,
  quoteRequestSchema,
  quoteSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { keptKind, text, workedOut } from '../kind.ts';
import { type Terms, termsSchema } from './attempt-terms.ts';
import { money, storedOffer } from './stored.ts';

export interface QuoteRecord {
  readonly id: QuoteId;
  readonly quote: Quote;
  /** What is ordered with it; null: machines for lost nodes of a cluster, or an older Hitch made it. */
  readonly order: QuoteRequest | null;
  /** It is for lost nodes, and allows no more than their cluster may cost already. */
  readonly keepsCaps: boolean;
  /** The cluster that it rents once more; null: a new one, or an older Hitch made it. */
  readonly forCluster: ClusterId | null;
  /** The frozen offers, each at the price of its terms, in the order they are tried. */
  readonly offers: readonly Offer[];
  /** On what terms each is bought, by its id; one that is missing, from an older Hitch: as it is offered. */
  readonly terms: Readonly<Record<string, Terms>>;
  /** No node may cost more than this an hour. */
  readonly maxNodePricePerHourMicroUsd: MicroUsd;
  readonly usedBy: ClusterId | null;
}

const quoteRecordSchema = z.object({
  id: quoteIdSchema,
  quote: quoteSchema,
  order: quoteRequestSchema.nullable().default(null).catch(null),
  keepsCaps: z.boolean().default(false),
  forCluster: clusterIdSchema.nullable().default(null),
  offers: z.array(storedOffer),
  terms: z.record(z.string(), termsSchema).default({}),
  maxNodePricePerHourMicroUsd: money,
  usedBy: clusterIdSchema.nullable().default(null),
}) satisfies z.ZodType<QuoteRecord>;

export const quotes = keptKind<QuoteRecord>({
  name: 'quotes',
  schema: quoteRecordSchema,
  key: ['id'],
  columns: {
    id: text('id'),
    used_by: text('usedBy', { isNullable: true }),
    expires_at_ms: workedOut('integer', ({ quote }) => quote.expiresAtMs),
  },
  goesWith: 'used_by',
  expires: { column: 'expires_at_ms', unless: 'used_by' },
});
