/** From a quote to machines that are ordered: the price, the yes, and the call that rents. */
import {
  HitchError,
  parseMicroUsd,
  quoteLineTone,
  showDollars,
  type Cluster,
  type Quote,
} from '@hitch/contract';
import type { Context } from '../context.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { PRACTICE_BANNER } from '../screen/offer-table.ts';
import { confirm } from '../screen/prompt.ts';
import { waitUntilReady } from './rent-wait.ts';

export interface OrderInput {
  readonly yes: boolean;
  readonly max?: string | undefined;
  readonly wait: boolean;
  readonly json: boolean;
}

export function showQuote({ io }: Context, quote: Quote, json: boolean): void {
  if (json) {
    io.jsonLine({ type: 'quote', quote });
    return;
  }
  if (quote.practice) {
    io.line(io.style('yellow', PRACTICE_BANNER));
  }
  for (const [index, line] of quote.lines.entries()) {
    const tone = quoteLineTone(line);
    // The banner above says it.
    if (tone !== 'practice') {
      io.line(index === 0 ? io.style('bold', line) : tone === 'warning' ? io.style('yellow', line) : line);
    }
  }
}

function checkHighestRate(quote: Quote, max: string): void {
  if (parseMicroUsd(quote.highestRatePerHourMicroUsd) > parseMicroUsd(max)) {
    const highest = showDollars(parseMicroUsd(quote.highestRatePerHourMicroUsd));
    throw new CommandFailure(
      EXIT.nothingBought,
      'NO_OFFERS',
      `This could cost ${highest}/h, more than --max ${showDollars(parseMicroUsd(max))}/h; nothing was rented.`,
      { next: 'Raise --max, or choose cheaper offers.' },
    );
  }
}

/** The person's yes. Law: spending needs one for each quote. */
export async function agree(context: Context, input: OrderInput, quote: Quote): Promise<void> {
  if (input.yes && input.max !== undefined) {
    checkHighestRate(quote, input.max);
    return;
  }
  if (input.json || !context.io.interactive) {
    throw new CommandFailure(
      EXIT.declined,
      'BAD_INPUT',
      'Renting needs your approval, and there is no terminal to ask in; nothing was rented.',
      { next: 'Add --yes --max <dollars an hour>.' },
    );
  }
  if (!(await confirm(context.io, `${quote.yes}?`))) {
    throw new CommandFailure(EXIT.declined, 'CONFLICT', 'Nothing was rented.');
  }
}

const TRIES = 5;

/** A quote is used once however often it is asked: an unanswered call is simply made again. */
export async function order({ clock }: Context, rent: () => Promise<Cluster>): Promise<Cluster> {
  for (let tries = 1; ; tries++) {
    try {
      return await rent();
    } catch (error) {
      if (tries === TRIES || !(error instanceof HitchError && error.code === 'UNREACHABLE')) {
        throw error;
      }
      await clock.sleep(500);
    }
  }
}

/** Orders it and, where the person waits, follows it until it works or has failed. */
export async function placeOrder(
  context: Context,
  input: OrderInput,
  quote: Quote,
  rent: () => Promise<Cluster>,
): Promise<ExitCode> {
  const { io } = context;
  // From here until the answer Ctrl-C waits: what may have been bought is not abandoned unseen.
  const presses: number[] = [];
  const release = context.interrupts.listen(() => presses.push(context.clock.now()));
  const cluster = await order(context, rent).finally(release);
  const early = presses.length > 0;
  if (input.json) {
    io.jsonLine({ type: 'created', cluster });
  }
  if (!input.wait && !early) {
    if (!input.json) {
      io.line(`${cluster.name} is being rented. See it with hitch show ${cluster.name}.`);
    }
    return EXIT.ok;
  }
  return waitUntilReady(context, cluster, {
    json: input.json,
    interrupted: early,
    candidates: quote.candidates.length,
  });
}
