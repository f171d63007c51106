/** A person's own searches as they were stored; loaded only where there are any. */
import { offerFilterSchema } from '@hitch/contract/src/offers.ts';
import * as z from 'zod';
import type { Search } from './searches.ts';

const searchSchema = z.object({
  id: z.string().max(60),
  label: z.string().min(1).max(80),
  nodes: z.number().int().min(1).max(100),
  filter: offerFilterSchema,
});

/** What does not read is left out. */
export function storedSearches(raw: readonly unknown[]): readonly Search[] {
  return raw.flatMap(entry => {
    const parsed = searchSchema.safeParse(entry);
    return parsed.success ? [{ ...parsed.data, own: true }] : [];
  });
}
