/**
 * What of Nosana's answers is used, read tolerantly. Sources: `dist/client/schema.d.ts` of `@nosana/api` 2.1.8, and the
 * routes behind it (nosana-ci/nosana-deployment-manager, `src/router/schema/components`).
 */
import * as z from 'zod';
import { dollarsSchema } from '../http/dollars.ts';

const momentSchema = z
  .string()
  .nullish()
  .transform(text => {
    const atMs = Date.parse(text ?? '');
    return Number.isNaN(atMs) ? null : atMs;
  });

export const deploymentSchema = z.object({
  id: z.string().min(1),
  name: z.string().nullish(),
  market: z.string(),
  status: z.string(),
  replicas: z.number().int().min(0).catch(1),
  /** How many of its jobs run; null: an older answer does not say. */
  active_jobs: z.number().int().min(0).nullish().catch(null),
  /** Said from the beginning, whether anything answers there or not. */
  endpoints: z
    .array(z.object({ opId: z.string(), port: z.union([z.number(), z.string()]), url: z.string() }))
    .catch([]),
  created_at: momentSchema,
  updated_at: momentSchema,
});
export type Deployment = z.output<typeof deploymentSchema>;

const pagesSchema = z.object({ cursor_next: z.string().nullish() });

export const deploymentsSchema = z.object({
  deployments: z.array(deploymentSchema),
  pagination: pagesSchema,
});

const jobSchema = z.object({
  state: z.string(),
  /** Seconds since the epoch; 0: it has not begun. */
  time_start: z.number().min(0).catch(0),
  updated_at: momentSchema,
});
export type Job = z.output<typeof jobSchema>;

export const jobsSchema = z.object({ jobs: z.array(jobSchema), pagination: pagesSchema });

export const refusalSchema = z.object({ error: z.string() });

export const balanceSchema = z.object({
  assignedCredits: dollarsSchema,
  reservedCredits: dollarsSchema,
  settledCredits: dollarsSchema,
});
