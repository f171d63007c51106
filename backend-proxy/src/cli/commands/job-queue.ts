/** `hitch job queue`: several jobs of one yes beside each other, with what each was given and its figures. */
import { HitchError } from '@hitch/contract';
import { figuresOf } from '@hitch/contract/src/job-gather.ts';
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { jobRef } from '../jobs/find-job.ts';
import { findQueue, writeQueue } from '../jobs/queues.ts';

export const addJobQueue = defineCommand({
  usage: 'queue <name>',
  summary: 'the jobs of one --sweep or --each: what each was given, its figures, cost and state',
  examples: [['hitch job queue train', 'those that were begun as train-1, train-2 and so on']],
  schema: z.object({ name: jobRef, json: z.boolean().default(false) }),
  run: async (context, input) => {
    const { io, session, clock } = context;
    const { api } = await session();
    const jobs = await findQueue(api, input.name);
    if (jobs === null) {
      throw new HitchError('NOT_FOUND', `There are no jobs that were begun together as ${input.name}.`, {
        field: 'name',
        next: 'hitch job ls shows all jobs; hitch job show one of them.',
      });
    }
    const read = await Promise.all(jobs.map(async job => [job.id, await figuresOf(api, job)] as const));
    const figures = new Map(read.map(([id, { metrics }]) => [id as string, metrics]));
    if (input.json) {
      io.json(jobs.map(job => ({ job, metrics: figures.get(job.id) ?? [] })));
      return EXIT.ok;
    }
    writeQueue(context, jobs, figures, clock.now());
    return EXIT.ok;
  },
});
