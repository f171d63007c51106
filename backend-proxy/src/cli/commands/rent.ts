/** `hitch rent`: from a quote and a yes to a cluster that works. */
import { type HitchClient, HitchError, type Preset, type QuoteRequest } from '@hitch/contract';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { environmentHint, lockOrSay, readEnvironmentFile } from '../environment-file.ts';
import type { ExitCode } from '../exit-codes.ts';
import { agree, placeOrder, showQuote } from './order.ts';
import { rentJob, templateWork } from './job-rent.ts';
import { addRentOptions, quoteRequestFrom, rentSchema, type RentInput, stopTime } from './rent-options.ts';

/** Who says nothing of GPUs wants one where there is one: machines without are cheaper, and never what was meant. */
async function preferGpus(api: HitchClient['api'], request: QuoteRequest): Promise<QuoteRequest> {
  const { filter, nodes, offerIds } = request;
  const isOpen = filter.gpuModels ?? filter.minGpuCount ?? filter.minVramMiB ?? filter.minCpuCores;
  if (isOpen !== undefined || offerIds.length > 0) {
    return request;
  }
  const withGpus = { ...filter, minGpuCount: 1, markets: filter.markets ?? ['on_demand' as const] };
  const { matched } = await api.offers.query({
    filter: { ...withGpus, rentable: true, ...(nodes > 1 ? { multiNode: true } : {}) },
    limit: 1,
  });
  return matched > 0 ? { ...request, filter: withGpus } : request;
}

/** Networks whose machines are processes on this computer. */
const HERE = ['local', 'sandbox'];

const isHere = ({ filter, offerIds }: QuoteRequest): boolean =>
  filter.practice === 'only' ||
  (filter.providers !== undefined && filter.providers.every(id => HERE.includes(id))) ||
  (offerIds.length > 0 && offerIds.every(id => HERE.some(network => id.startsWith(`${network}:`))));

/** The lock of `--env`, made before anything is asked of a network; null: Hitch's own packages. */
async function environmentFor(
  context: Context,
  api: HitchClient['api'],
  input: RentInput,
  request: QuoteRequest,
): Promise<string | null> {
  const { env, python, platform, json } = input;
  if (env === undefined) {
    const hint = json ? null : environmentHint(context.cwd);
    if (hint !== null) {
      context.io.line(context.io.style('dim', hint));
    }
    return null;
  }
  const engine =
    input.engine === 'ray' ||
    (input.engine === undefined && ((input.nodes ?? 1) > 1 || input.template === 'ray'));
  const environment = await lockOrSay(
    context,
    api,
    {
      file: await readEnvironmentFile(context.cwd, env),
      python: python ?? null,
      engine: engine ? 'ray' : 'single',
      platform: platform ?? (isHere(request) ? 'this-computer' : 'linux-x86_64'),
    },
    json,
  );
  return environment.id;
}

/** A template with a command is a job that rents; null: this one is none. */
async function rentAsJob(context: Context, input: RentInput): Promise<ExitCode | null> {
  const { clock, cwd } = context;
  const { template, yes, wait, json } = input;
  if (template === undefined) {
    return null;
  }
  const { api } = await context.session();
  const work = templateWork(template, input, cwd);
  const { kind: _kind, ...shown } = work;
  const { info } = await api.templates.show(shown);
  if (!info.runs) {
    if (input.preset !== undefined || input.set.length > 0) {
      throw new HitchError('BAD_INPUT', `The template ${info.id} has no command that takes values.`, {
        field: input.preset === undefined ? '--set' : '--preset',
      });
    }
    return null;
  }
  const asked = quoteRequestFrom(input, context);
  // What nobody says is the template's to propose.
  const rent = { ...asked, template: null, stopAtMs: stopTime(input, clock.now()) ?? null };
  const environment = await environmentFor(context, api, { ...input, json: true }, rent);
  return rentJob(
    context,
    { work, rent: { ...rent, environment }, ...(input.name === undefined ? {} : { name: input.name }) },
    { yes, detach: !wait, json },
  );
}

interface Wanted {
  readonly input: RentInput;
  /** Null: none was named, or it is one of the template's. */
  readonly preset: Preset | null;
}

/** What `--preset` names where no template has presets of its own; any other option that is given wins. */
async function wantedBy(context: Context, input: RentInput): Promise<Wanted> {
  const { preset: id, ...rest } = input;
  if (id === undefined || input.template !== undefined) {
    return { input, preset: null };
  }
  const { api } = await context.session();
  const { presets, file, problems } = await api.offers.presets();
  const preset = presets.find(known => known.id === id);
  if (preset === undefined) {
    const [problem] = problems;
    throw new HitchError(
      'BAD_INPUT',
      problem === undefined
        ? `There is no preset ${id}.`
        : `There is no preset ${id}, and ${file} has mistakes; line ${problem.line}: ${problem.sentence}`,
      { field: '--preset', next: `Choose among ${presets.map(known => known.id).join(', ')}.` },
    );
  }
  return {
    input: {
      ...rest,
      nodes: input.nodes ?? preset.nodes,
      ...(preset.template === null ? {} : { template: preset.template }),
    },
    preset,
  };
}

const asPreset = (preset: Preset, { filter, ...asked }: QuoteRequest): QuoteRequest => ({
  ...asked,
  filter: { ...preset.filter, ...filter },
  maxNodePricePerHourMicroUsd: asked.maxNodePricePerHourMicroUsd ?? preset.maxNodePricePerHourMicroUsd,
});

async function rent(context: Context, given: RentInput): Promise<ExitCode> {
  const { input, preset } = await wantedBy(context, given);
  const asJob = await rentAsJob(context, input);
  if (asJob !== null) {
    return asJob;
  }
  const { api } = await context.session();
  const typed = quoteRequestFrom(input, context);
  const asked = preset === null ? await preferGpus(api, typed) : asPreset(preset, typed);
  const request = { ...asked, environment: await environmentFor(context, api, input, asked) };
  const quote = await api.quotes.create(request);
  showQuote(context, quote, input.json);
  await agree(context, input, quote);
  const name = input.name === undefined ? {} : { name: input.name };
  return placeOrder(context, input, quote, () => api.clusters.create({ quoteId: quote.id, ...name }));
}

export const addRent = defineCommand({
  usage: 'rent',
  summary: 'rent a cluster (shows the price and asks first)',
  examples: [
    ['hitch rent --gpu "RTX 4090" --save results', 'one GPU; results/ is copied here before it is deleted'],
    ['hitch rent --gpu L4 --env requirements.txt', 'with the packages of that file, locked first'],
    [
      'hitch rent --template hf-lora --set steps=200',
      'runs the template, saves what it made, deletes the machine',
    ],
    ['hitch rent --preset vram-24', 'the cheapest GPU with 24 GB: one of hitch presets'],
    ['hitch rent --practice --nodes 2', 'a Ray cluster of two practice machines'],
    ['hitch rent --offer vast:123 --for 2h --cap 5', 'one offer, two hours, at most $5'],
    [
      'hitch rent --gpu L4 --disk 300 --image example/own:1',
      'a larger disk and your image, where offers take them',
    ],
    ['hitch rent --gpu H100 --spot --bid 1.50', 'a spot machine while nobody pays more than $1.50/h'],
    [
      'hitch rent --gpu H100 --yes --max 2.50 --json',
      'for scripts: rent at up to $2.50/h, events as JSON lines',
    ],
  ],
  options: addRentOptions,
  schema: rentSchema,
  run: rent,
});
