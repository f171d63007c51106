/** `hitch rent`: from a quote and a yes to a cluster that works. */
import {
  HitchError,
  parseMicroUsd,
  showDollars,
  type Cluster,
  type HitchClient,
  type Quote,
  type QuoteRequest,
} from '@hitch/contract';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { PRACTICE_BANNER } from '../screen/offer-table.ts';
import { confirm } from '../screen/prompt.ts';
import { waitUntilReady } from './rent-wait.ts';
import { addRentOptions, quoteRequestFrom, rentSchema, type RentInput } from './rent-options.ts';

function showQuote({ io }: Context, quote: Quote): void {
  if (quote.practice) {
    io.line(io.style('yellow', PRACTICE_BANNER));
  }
  quote.lines.forEach((line, index) => io.line(index === 0 ? io.style('bold', line) : line));
}

function checkHighestRate(quote: Quote, max: string): void {
  if (parseMicroUsd(quote.highestRatePerHourMicroUsd) > parseMicroUsd(max)) {
    const highest = showDollars(parseMicroUsd(quote.highestRatePerHourMicroUsd));
    throw new CommandFailure(
      EXIT.nothingBought,
      'NO_OFFERS',
      `This could cost ${highest}/h, more than the ${showDollars(parseMicroUsd(max))}/h of --max; nothing was rented.`,
      { next: 'Raise --max, or narrow the offers.' },
    );
  }
}

/** The person's yes. Law: spending needs one for each quote. */
async function agree(context: Context, input: RentInput, quote: Quote): Promise<void> {
  if (input.yes && input.max !== undefined) {
    checkHighestRate(quote, input.max);
    return;
  }
  if (input.json || !context.io.interactive) {
    throw new CommandFailure(
      EXIT.declined,
      'BAD_INPUT',
      'Renting needs a yes, and there is no terminal to ask on; nothing was rented.',
      { next: 'Add --yes --max <dollars an hour>.' },
    );
  }
  if (!(await confirm(context.io, `${quote.yes}?`))) {
    throw new CommandFailure(EXIT.declined, 'CONFLICT', 'Nothing was rented.');
  }
}

const CREATE_TRIES = 5;

/** A quote makes one cluster however often it is asked: an unanswered call is simply made again. */
async function create(context: Context, quote: Quote, name: string | undefined): Promise<Cluster> {
  const { api } = await context.session();
  for (let tries = 1; ; tries++) {
    try {
      return await api.clusters.create({ quoteId: quote.id, ...(name === undefined ? {} : { name }) });
    } catch (error) {
      if (tries === CREATE_TRIES || !(error instanceof HitchError && error.code === 'UNREACHABLE')) {
        throw error;
      }
      await context.clock.sleep(500);
    }
  }
}

/** Who says nothing of GPUs wants one where there is one: machines without are cheaper, and never what was meant. */
async function preferGpus(api: HitchClient['api'], request: QuoteRequest): Promise<QuoteRequest> {
  const { filter, nodes, offerIds } = request;
  const isOpen = filter.gpuModels ?? filter.minGpuCount ?? filter.minVramMiB ?? filter.minCpuCores;
  if (isOpen !== undefined || offerIds.length > 0) {
    return request;
  }
  const withGpus = { ...filter, minGpuCount: 1 };
  const { matched } = await api.offers.query({
    filter: nodes > 1 ? { ...withGpus, multiNode: true } : withGpus,
    limit: 1,
  });
  return matched > 0 ? { ...request, filter: withGpus } : request;
}

async function rent(context: Context, input: RentInput): Promise<ExitCode> {
  const { io } = context;
  const { api } = await context.session();
  const request = await preferGpus(api, quoteRequestFrom(input, context));
  const quote = await api.quotes.create(request);
  if (input.json) {
    io.jsonLine({ type: 'quote', quote });
  } else {
    showQuote(context, quote);
  }
  await agree(context, input, quote);
  // From here until the answer Ctrl-C waits: what may have been bought is not abandoned unseen.
  const presses: number[] = [];
  const release = context.interrupts.listen(() => presses.push(context.clock.now()));
  const created = await create(context, quote, input.name).finally(release);
  const early = presses.length > 0;
  if (input.json) {
    io.jsonLine({ type: 'created', cluster: created });
  }
  if (!input.wait && !early) {
    if (!input.json) {
      io.line(`${created.name} is being rented. Follow it with hitch show ${created.name}.`);
    }
    return EXIT.ok;
  }
  return waitUntilReady(context, created, {
    json: input.json,
    interrupted: early,
    candidates: quote.candidates.length,
  });
}

export const addRent = defineCommand({
  usage: 'rent',
  summary: 'show a price, ask, and get a cluster',
  examples: [
    ['hitch rent --gpu "RTX 4090" --save results', 'one GPU; results/ is fetched before it is destroyed'],
    ['hitch rent --practice --nodes 2', 'a Ray cluster of two practice machines'],
    ['hitch rent --offer vast:123 --for 2h --cap 5', 'one offer, two hours, at most $5'],
    [
      'hitch rent --gpu H100 --yes --max 2.50 --json',
      'for scripts: rent at up to $2.50/h, events as JSON lines',
    ],
  ],
  options: addRentOptions,
  schema: rentSchema,
  run: rent,
});
