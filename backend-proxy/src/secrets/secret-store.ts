/** Secrets by name: what the API shows of them, and what a cluster that was given some reads. */
import type { secretStoreSchema } from '@hitch/contract';
import type * as z from 'zod';

export type SecretList = z.infer<typeof secretStoreSchema>;
