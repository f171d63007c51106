/** What turns machines into something to compute on. */
import * as z from 'zod';

export const engineKindSchema = z.enum(['single', 'ray']);
export type EngineKind = z.infer<typeof engineKindSchema>;
