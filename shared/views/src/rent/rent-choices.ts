/** What the rent form holds while a person edits it, and the request that it becomes. */
import {
  clusterNameSchema,
  DEFAULT_LIMITS,
  formatMicroUsd,
  parseDollars,
  parseMicroUsd,
  quoteRequestSchema,
  typedDollars,
  workPathSchema,
  type Offer,
  type OfferFilter,
  type QuoteRequest,
  type TemplateInfo,
} from '@hitch/contract';
import type { Translate } from '../base/translate.ts';
import { nodesProblem } from '../offers/words.ts';
import { hoursProblem, paidMs } from './hours.ts';

export type StopChoice = 'none' | '1' | '2' | '4' | '8' | '24' | 'at';

/** As typed: nothing is lost while it is wrong. */
export interface RentChoices {
  readonly name: string;
  readonly nodes: string;
  readonly engine: 'single' | 'ray';
  /** Empty: the usual one of the engine. */
  readonly template: string;
  readonly send: readonly string[];
  readonly save: readonly string[];
  readonly secrets: readonly string[];
  readonly cap: string;
  readonly stop: StopChoice;
  /** Local time, as the browser's own field writes it. */
  readonly stopAt: string;
  readonly idle: string;
  /** Hours paid ahead; empty: until the stop time, as far as the spending limit goes. */
  readonly hours: string;
  /** Others that are tried may be of another network. Of no meaning for several nodes. */
  readonly otherNetworks: boolean;
  /** The file whose packages it gets; null: Hitch's own. */
  readonly packages: string | null;
}

export interface RentContext {
  readonly offers: readonly Offer[];
  /** What the offers were found with: others that are tried in their place pass it too. */
  readonly filter: OfferFilter;
  /** Never pay more an hour for one node; left out: what the daemon chooses. */
  readonly maxNodePricePerHourMicroUsd?: string | null;
  /** The lock of the packages that are chosen; left out: Hitch's own, or not locked yet. */
  readonly environment?: string | null;
  readonly takenNames: readonly string[];
  readonly templates: readonly TemplateInfo[];
  readonly nowMs: number;
  readonly t: Translate;
}

const HOUR_MS = 3_600_000;
const DEFAULT_CAP = typedDollars(DEFAULT_LIMITS.capMicroUsd);
const DEFAULT_IDLE_MINUTES = (DEFAULT_LIMITS.idleMs / 60_000).toString();

export function firstChoices(
  defaults: Partial<QuoteRequest> & { readonly name?: string },
  nodes: number,
): RentChoices {
  const count = defaults.nodes ?? nodes;
  return {
    name: defaults.name ?? '',
    nodes: count.toString(),
    engine: defaults.engine === 'ray' || count > 1 ? 'ray' : 'single',
    template: defaults.template ?? '',
    send: [],
    save: defaults.save?.paths ?? [],
    secrets: defaults.secrets ?? [],
    cap:
      defaults.capMicroUsd === undefined || defaults.capMicroUsd === null
        ? DEFAULT_CAP
        : typedDollars(parseMicroUsd(defaults.capMicroUsd)),
    stop: firstStop(defaults.stopAtMs),
    stopAt: typeof defaults.stopAtMs === 'number' ? localTime(defaults.stopAtMs) : '',
    packages: null,
    otherNetworks: defaults.otherNetworks ?? defaults.filter?.providers === undefined,
    idle: typeof defaults.idleMs === 'number' ? (defaults.idleMs / 60_000).toString() : DEFAULT_IDLE_MINUTES,
    hours: typeof defaults.termMs === 'number' ? (defaults.termMs / HOUR_MS).toString() : '',
  };
}

/** Left out: as usual. Null: the host says that no time limit is wanted. */
function firstStop(stopAtMs: number | null | undefined): StopChoice {
  if (stopAtMs === undefined) {
    return '4';
  }
  return stopAtMs === null ? 'none' : 'at';
}

/** `2026-11-25T18:10`, on this computer's clock. */
export function localTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => value.toString().padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

export function stopAtMs({ stop, stopAt }: RentChoices, nowMs: number): number | null {
  if (stop === 'none') {
    return null;
  }
  return stop === 'at' ? new Date(stopAt).getTime() : nowMs + Number(stop) * HOUR_MS;
}

/** A sentence for each field that is wrong, under the names the daemon uses for its own. */
export type RentProblems = Partial<
  Record<
    | 'name'
    | 'nodes'
    | 'capMicroUsd'
    | 'stopAtMs'
    | 'idleMs'
    | 'save'
    | 'engine'
    | 'template'
    | 'termMs'
    | 'environment',
    string
  >
>;

const wholeNumber = (text: string): number => (/^\d{1,6}$/.test(text.trim()) ? Number(text) : Number.NaN);

export function rentProblems(choices: RentChoices, context: RentContext): RentProblems {
  const { t } = context;
  const problems: RentProblems = {};
  const note = (field: keyof RentProblems, problem: string | null) => {
    if (problem !== null) {
      problems[field] = problem;
    }
  };
  note('name', nameProblem(choices.name, context));
  const nodes = wholeNumber(choices.nodes);
  note(
    'nodes',
    nodes >= 1 && nodes <= 100
      ? nodesProblem(context.offers, nodes, t)
      : t('Nodes: enter a whole number from 1 to %1.', 100),
  );
  if (choices.engine === 'single' && nodes > 1) {
    note('engine', t('A notebook set-up has one machine: choose the Ray cluster, or 1 node.'));
  }
  const template = context.templates.find(({ id }) => id === choices.template);
  if (template !== undefined && nodes < template.minNodes) {
    note('template', t('%1 needs at least %2 nodes.', template.title, template.minNodes));
  }
  note('capMicroUsd', capProblem(choices.cap, t));
  const stop = stopAtMs(choices, context.nowMs);
  if (stop !== null && !(stop > context.nowMs)) {
    note('stopAtMs', t('The stop time has passed or is not complete: enter a later one.'));
  }
  if (Number.isNaN(wholeNumber(choices.idle))) {
    note('idleMs', t('Idle minutes: enter a whole number, or 0 for never.'));
  }
  if (choices.packages !== null && (context.environment ?? null) === null) {
    note(
      'environment',
      t('The packages are not pinned: wait until they are, correct the file, or choose Hitch’s own.'),
    );
  }
  note('termMs', hoursProblem(choices, context));
  const path = choices.save.find(each => !workPathSchema.safeParse(each).success);
  if (path !== undefined) {
    note('save', t('“%1” is outside of ~/work: enter a path inside it, such as results/run1.', path));
  }
  return problems;
}

function nameProblem(name: string, { takenNames, t }: RentContext): string | null {
  if (name === '') {
    return null;
  }
  const parsed = clusterNameSchema.safeParse(name);
  if (!parsed.success) {
    return t('The name %1.', parsed.error.issues[0]?.message ?? t('is not valid'));
  }
  return takenNames.includes(name) ? t('Another cluster is called %1: choose a different name.', name) : null;
}

/** Why it is no spending limit; null: it is one. */
export function capProblem(cap: string, t: Translate): string | null {
  try {
    return parseDollars(cap) === 0n ? t('The spending limit is $0.00: enter how much it may cost.') : null;
  } catch (error) {
    return error instanceof RangeError ? t(error.message) : String(error);
  }
}

/** What an engine is set up with where nothing else is chosen: its first template, null where none is known. */
export const usualTemplate = (
  templates: readonly TemplateInfo[],
  engine: RentChoices['engine'],
): TemplateInfo | null => templates.find(template => template.engine === engine && !template.runs) ?? null;

/** Null is what nobody has to choose: all networks that the filter lets in. */
const wishOf = (others: boolean, { providers }: OfferFilter): boolean | null =>
  others === (providers === undefined) ? null : others;

/** The request for choices without problems. */
export function quoteRequest(
  choices: RentChoices,
  { offers, filter, nowMs, templates, environment = null, maxNodePricePerHourMicroUsd = null }: RentContext,
): QuoteRequest {
  const nodes = wholeNumber(choices.nodes);
  return quoteRequestSchema.parse({
    template:
      choices.template === '' ? (usualTemplate(templates, choices.engine)?.id ?? null) : choices.template,
    engine: choices.engine,
    nodes,
    offerIds: offers.map(({ id }) => id),
    filter,
    otherNetworks: nodes > 1 ? null : wishOf(choices.otherNetworks, filter),
    environment: choices.packages === null ? null : environment,
    maxNodePricePerHourMicroUsd,
    capMicroUsd: formatMicroUsd(parseDollars(choices.cap)),
    stopAtMs: stopAtMs(choices, nowMs),
    idleMs: wholeNumber(choices.idle) * 60_000,
    termMs: paidMs(choices, offers),
    save: { paths: choices.save, toFolder: null },
    secrets: choices.secrets,
    send: choices.send,
  });
}
