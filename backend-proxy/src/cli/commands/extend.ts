/** `hitch extend`: a later stop time or a higher cap. */
import {
  formatMicroUsd,
  costAhead,
  extendLines,
  format,
  HitchError,
  parseMicroUsd,
  showDollars,
  type Cluster,
} from '@hitch/contract';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { confirm } from '../screen/prompt.ts';
import { clusterRef, dollars, duration, durationOrNever } from '../values.ts';
import { stopTime } from './rent-options.ts';

interface Change {
  readonly capMicroUsd?: string;
  readonly stopAtMs?: number;
  readonly idleMs?: number | null;
}

/** What it may cost now, and the most after the change. */
function priceSentence(cluster: Cluster, change: Change, nowMs: number): string {
  const { usage, caps } = cluster;
  const cap = parseMicroUsd(change.capMicroUsd ?? caps.totalMicroUsd);
  const stopAtMs = change.stopAtMs ?? caps.stopAtMs;
  const rate = parseMicroUsd(usage.ratePerHourMicroUsd);
  const charge = { ratePerHourMicroUsd: rate, paidMicroUsd: parseMicroUsd(usage.paidAheadMicroUsd) };
  const untilStop =
    stopAtMs === null ? null : parseMicroUsd(format.costOfRun(usage)) + costAhead([charge], stopAtMs - nowMs);
  const most = untilStop === null || untilStop > cap ? cap : untilStop;
  const stops = stopAtMs === null ? '' : ` or at ${format.clock(stopAtMs)}`;
  return `${cluster.name} stops at ${showDollars(cap)}${stops}, at ${showDollars(rate)}/h: at most ${showDollars(parseMicroUsd(formatMicroUsd(most)))} in total (${showDollars(parseMicroUsd(format.costOfRun(usage)))} spent so far).`;
}

export const addExtend = defineCommand({
  usage: 'extend <cluster>',
  summary: 'change the limits of a running cluster: stop time, cost, idle',
  examples: [
    ['hitch extend llm-dev --for 2h', 'two hours from now'],
    ['hitch extend llm-dev --cap 5 --stop-at 23:30', 'up to $5, until half past eleven'],
    ['hitch extend llm-dev --idle never --yes', 'do not stop when idle; without asking'],
  ],
  options: command =>
    command
      .option('--cap <dollars>', 'spending limit, saving included')
      .option('--stop-at <time>', 'when to stop, such as 18:10')
      .option('--for <duration>', 'how long from now on, such as 2h')
      .option('--idle <duration>', 'stop when idle for this long, or never')
      .option('-y, --yes', 'do not ask'),
  schema: z.object({
    cluster: clusterRef,
    cap: dollars.optional(),
    stopAt: z.string().optional(),
    for: duration.optional(),
    idle: durationOrNever.optional(),
    yes: z.boolean().default(false),
    json: z.boolean().default(false),
  }),
  run: async ({ io, clock, session }, input) => {
    const stopAtMs = stopTime(input, clock.now());
    const change: Change = {
      ...(input.cap === undefined ? {} : { capMicroUsd: input.cap }),
      ...(typeof stopAtMs === 'number' ? { stopAtMs } : {}),
      ...(input.idle === undefined ? {} : { idleMs: input.idle }),
    };
    if (Object.keys(change).length === 0) {
      throw new HitchError('BAD_INPUT', 'Say what to change: --cap, --stop-at, --for or --idle.');
    }
    const { api } = await session();
    const cluster = await findCluster(api, input.cluster);
    if (!input.json) {
      io.line(priceSentence(cluster, change, clock.now()));
      extendLines(cluster, change, clock.now()).forEach(line => io.line(line));
    }
    if (!input.yes) {
      if (input.json || !io.interactive) {
        throw new CommandFailure(
          EXIT.declined,
          'BAD_INPUT',
          'Extending needs your approval; nothing was changed.',
          {
            next: 'Add --yes.',
          },
        );
      }
      if (!(await confirm(io, 'Extend?'))) {
        throw new CommandFailure(EXIT.declined, 'CONFLICT', 'Nothing was changed.');
      }
    }
    const extended = await api.clusters.extend({ clusterId: cluster.id, ...change });
    if (input.json) {
      io.json(extended);
    } else {
      io.line(`Extended ${extended.name}.`);
    }
    return EXIT.ok;
  },
});
