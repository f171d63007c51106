/** Several jobs by one yes: the values of `--sweep`, or the lines of `--each`. */
import {
  HitchError,
  type JobQuoteRequest,
  type JobSpec,
  MOST_AT_ONCE,
  MOST_QUEUED,
  type QueuedWork,
  USUAL_QUEUE_MS,
} from '@hitch/contract';
import type { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { dollars, duration, wholeNumber } from '../values.ts';

const collect = (value: string, before: string[] = []): string[] => [...before, value];

export const addQueueOptions = (command: Command): Command =>
  command
    .option(
      '--sweep <name=values>',
      'a job for each value: a parameter of the template, or {name} in the command; again for a grid',
      collect,
    )
    .option('--each <file>', 'a job for each line of this file, a text for bash')
    .option('--budget <dollars>', 'the most that all jobs of --sweep or --each may cost together')
    .option('--at-once <count>', 'so many of them have machines at once (default: 1)')
    .option('--begin-within <duration>', 'none begins any more after this long (default: 24h)');

export const queueShape = {
  sweep: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*=[^]+$/, 'must be like lr=1e-3,1e-4')).default([]),
  each: z.string().optional(),
  budget: dollars.optional(),
  atOnce: wholeNumber(1, MOST_AT_ONCE).optional(),
  beginWithin: duration.optional(),
};
export type QueueInput = z.output<z.ZodObject<typeof queueShape>>;

/** Whether several jobs are asked for. */
export const isQueue = ({ sweep, each }: QueueInput): boolean => sweep.length > 0 || each !== undefined;

type Queue = NonNullable<JobQuoteRequest['queue']>;

/** @throws HitchError BAD_INPUT for an option that needs another, or stands against one. */
export function checkQueueOptions(input: QueueInput): void {
  const refuse = (field: string, message: string, next: string): never => {
    throw new HitchError('BAD_INPUT', message, { field, next });
  };
  if (isQueue(input)) {
    if (input.sweep.length > 0 && input.each !== undefined) {
      refuse('--each', '--sweep and --each both say which jobs there are.', 'Give one of them.');
    }
    if (input.budget === undefined) {
      refuse(
        '--budget',
        'Several jobs need --budget: the most that all of them may cost.',
        'Add --budget 20.',
      );
    }
    return;
  }
  for (const [name, value] of [
    ['--budget', input.budget],
    ['--at-once', input.atOnce],
    ['--begin-within', input.beginWithin],
  ] as const) {
    if (value !== undefined) {
      refuse(name, `${name} is for several jobs.`, 'Add --sweep or --each, or leave it out.');
    }
  }
}

const limits = ({ budget = '0', atOnce, beginWithin }: QueueInput): Omit<Queue, 'jobs'> => ({
  budgetMicroUsd: budget,
  mostAtOnce: atOnce ?? 1,
  withinMs: beginWithin ?? USUAL_QUEUE_MS,
});

/** Every combination, the last name changing fastest. @throws HitchError BAD_INPUT */
export function gridOf(sweep: readonly string[]): readonly Readonly<Record<string, string>>[] {
  let grid: readonly Readonly<Record<string, string>>[] = [{}];
  for (const each of sweep) {
    const name = each.slice(0, each.indexOf('='));
    const values = each
      .slice(name.length + 1)
      .split(',')
      .map(value => value.trim());
    if (values.includes('') || new Set(values).size < values.length || grid.some(point => name in point)) {
      throw new HitchError(
        'BAD_INPUT',
        `--sweep ${each}: each name, and each of its values, stands there once.`,
        {
          field: '--sweep',
          next: `For example: --sweep ${name}=1,2,3`,
        },
      );
    }
    grid = grid.flatMap(point => values.map(value => ({ ...point, [name]: value })));
    if (grid.length > MOST_QUEUED) {
      throw new HitchError('BAD_INPUT', `That is more than ${MOST_QUEUED.toString()} jobs.`, {
        field: '--sweep',
        next: 'Sweep over fewer values at once.',
      });
    }
  }
  return grid;
}

const labelOf = (point: Readonly<Record<string, string>>): string =>
  Object.entries(point)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');

/** Of a template: its parameters. */
export const queueOfTemplate = (input: QueueInput): Queue => ({
  ...limits(input),
  jobs: gridOf(input.sweep).map(values => ({ label: labelOf(values), values })),
});

/** Of a command: `{name}` in its words is the value. @throws HitchError BAD_INPUT where it stands nowhere. */
export function queueOfProgram(input: QueueInput, spec: JobSpec): Queue {
  const { work } = spec;
  if (work.kind !== 'command' && work.kind !== 'nodes') {
    throw new HitchError('BAD_INPUT', '--sweep puts its values into the words of a command.', {
      field: '--sweep',
      next: 'For example: hitch job run --rent --sweep lr=1e-3,1e-4 --budget 5 train.py --lr {lr}',
    });
  }
  const grid = gridOf(input.sweep);
  for (const name of Object.keys(grid[0] ?? {})) {
    if (!work.command.some(word => word.includes(`{${name}}`))) {
      throw new HitchError(
        'BAD_INPUT',
        `Nothing of the command says {${name}}, so that all jobs would be the same.`,
        {
          field: '--sweep',
          next: `Write it where the value goes: --${name} {${name}}`,
        },
      );
    }
  }
  return {
    ...limits(input),
    jobs: grid.map((point): QueuedWork => ({
      label: labelOf(point),
      spec: { ...spec, work: { ...work, command: work.command.map(word => filled(word, point)) } },
    })),
  };
}

const filled = (word: string, point: Readonly<Record<string, string>>): string =>
  word.replaceAll(/\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (all, name: string) => point[name] ?? all);

/** The lines of a file, without empty ones and those that begin with `#`. @throws HitchError */
export async function linesOf(cwd: string, file: string): Promise<readonly string[]> {
  const path = resolve(cwd, file);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new HitchError('NOT_FOUND', `${path} cannot be read.`, { field: '--each', cause: error });
  });
  const lines = text.split(/\r?\n/).filter(line => line.trim() !== '' && !line.startsWith('#'));
  if (lines.length === 0 || lines.length > MOST_QUEUED) {
    throw new HitchError(
      'BAD_INPUT',
      `${file} has ${lines.length === 0 ? 'no line' : `${lines.length.toString()} lines`}; a job for each, 1 to ${MOST_QUEUED.toString()}, is what is wanted.`,
      { field: '--each' },
    );
  }
  return lines;
}

const LONGEST_LABEL = 200;

export const queueOfLines = (input: QueueInput, spec: JobSpec, lines: readonly string[]): Queue => ({
  ...limits(input),
  jobs: lines.map(script => ({
    label: script.trim().slice(0, LONGEST_LABEL),
    spec: { ...spec, work: { kind: 'script', script } },
  })),
});
