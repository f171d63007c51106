/** Bodies that the simulated Nosana takes: as its own routes read them, and strictly where Hitch sends them. */
import * as z from 'zod';

const anyOp = z.looseObject({
  id: z.string(),
  args: z
    .looseObject({
      cmd: z.array(z.string()).optional(),
      env: z.record(z.string(), z.string()).optional(),
      expose: z.union([z.number(), z.string()]).optional(),
    })
    .optional(),
});

/** `deploymentCreate.schema.ts` of nosana-ci/nosana-deployment-manager; other fields are let pass. */
export const createSchema = z.looseObject({
  name: z.string(),
  market: z.string(),
  replicas: z.number().min(1),
  /** Minutes. */
  timeout: z.number().min(1),
  strategy: z.enum(['SIMPLE', 'SIMPLE-EXTEND', 'SCHEDULED', 'INFINITE']),
  autostart: z.boolean().optional(),
  confidential: z.boolean().optional(),
  job_definition: z.looseObject({
    version: z.literal('0.1'),
    type: z.literal('container'),
    ops: z.array(anyOp),
  }),
});
export type Order = z.output<typeof createSchema>;

/** `JobDefinition` of `@nosana/api` 2.1.8 (`dist/client/schema.d.ts`), as far as Hitch uses it. */
export const strictCreateSchema = z.strictObject({
  name: z.string().regex(/^hitch-/),
  market: z.string(),
  replicas: z.literal(1),
  // Paid with credits a job lasts an hour at least.
  timeout: z.number().int().min(60),
  strategy: z.enum(['SIMPLE', 'SIMPLE-EXTEND']),
  autostart: z.literal(true),
  confidential: z.literal(true),
  job_definition: z.strictObject({
    version: z.literal('0.1'),
    type: z.literal('container'),
    meta: z.record(z.string(), z.string()),
    ops: z.tuple([
      z.strictObject({
        type: z.literal('container/run'),
        id: z.string(),
        args: z.strictObject({
          image: z.string().min(1),
          entrypoint: z.array(z.string()),
          // Hosts put values in the place of %%…%% (`resolveLiteralsInString.ts` of nosana-ci/nosana-cli).
          cmd: z.array(z.string().refine(text => !text.includes('%%'), 'has %% in it')),
          env: z.record(z.string(), z.string()),
          gpu: z.literal(true),
          expose: z.number().int(),
        }),
      }),
    ]),
  }),
});
