/** Renting in steps: what, which offer, set up for what, its name, its limits. Nothing is bought here. */
import type { Offer, Preset, TemplateInfo } from '@hitch/contract';
import { presetPriceWords, presetQuery } from '@hitch/contract/src/preset-words.ts';
import type { HitchModel } from '../daemon/model.ts';
import { titlesOf, verifiedOf } from '../daemon/state.ts';
import { type Draft, draftOf, type Limits, nameProblem } from '../rent/draft.ts';
import { type ChosenPackages, platformOf } from '../rent/packages.ts';
import { offerWords } from '../rent/offer-words.ts';
import { changeLimits, type PackagesChoice, type SecretsLine } from './limits-steps.ts';
import { choosePackages } from './package-steps.ts';
import { chooseSecrets } from './secret-steps.ts';
import { type Answer, ask, type Choice, pick } from './wizard.ts';

export interface WizardStart {
  /** What is known already: its steps are skipped. */
  readonly preset?: Preset;
  /** In the order in which they are tried. */
  readonly offers?: readonly Offer[];
  readonly template?: string;
  readonly limits: Limits;
  /** Names of stored secrets. */
  readonly secrets: readonly string[];
  readonly packages: ChosenPackages | null;
}

/** What is rented, and what is known of it; without ids the cheapest of the candidates. */
interface ChosenOffers {
  readonly ids: readonly string[];
  readonly candidates: readonly Offer[];
}

type StepName = 'preset' | 'offer' | 'template' | 'name' | 'limits';

const TITLE = 'Rent GPUs';
const OFFERS_SHOWN = 100;
/** So many of the cheapest are tried. */
const CANDIDATES = 5;

/** Null when it was given up. */
export async function runWizard(
  model: HitchModel,
  start: WizardStart,
): Promise<(Draft & Pick<WizardStart, 'packages'>) | null> {
  const { presets } = start.preset === undefined ? await model.listPresets() : { presets: [start.preset] };
  let preset = firstOf(presets);
  let found: ChosenOffers = {
    ids: (start.offers ?? []).map(({ id }) => id),
    candidates: start.offers ?? [],
  };
  let template: string | null = start.template ?? null;
  let name = '';
  let { limits } = start;
  const secrets: SecretsLine = {
    given: start.secrets,
    choose: (step, given) => chooseSecrets(model.client, step, given),
  };
  const target = () => ({
    engine: engineOf(model.state.templates, template, preset.nodes),
    platform: preset.filter.practice === 'only' ? ('this-computer' as const) : platformOf(found.candidates),
  });
  const packages: PackagesChoice = {
    given: start.packages,
    choose: (step, given) => choosePackages(model.client, step, given, target()),
  };
  const steps: readonly StepName[] = [
    ...(start.preset === undefined && start.offers === undefined ? (['preset'] as const) : []),
    ...(start.offers === undefined ? (['offer'] as const) : []),
    ...(start.template === undefined ? (['template'] as const) : []),
    'name',
    'limits',
  ];
  let at = 0;
  while (at < steps.length) {
    const step = { title: TITLE, step: at + 1, totalSteps: steps.length };
    const current = steps[at];
    let answer: Answer<unknown> = { kind: 'cancel' };
    if (current === 'preset') {
      const chosen = await pick<Preset>({
        ...step,
        placeholder: 'What do you need? Prices include machine, disk and fees',
        items: presets.map(entry => presetChoice(entry, '…')),
        later: withPrices(model, presets),
        active: item => item.value.id === preset.id,
      });
      if (chosen.kind === 'value') {
        preset = chosen.value;
        template = start.template ?? preset.template;
      }
      answer = chosen;
    } else if (current === 'offer') {
      const offer = await pickOffer(model, step, preset);
      if (offer.kind === 'value') {
        found = offer.value;
      }
      answer = offer;
    } else if (current === 'template') {
      const chosen = await pick<string | null>({
        ...step,
        placeholder: 'What should it be set up as?',
        items: templateChoices(model.state.templates, preset.nodes),
        active: item => item.value === (template ?? (preset.nodes > 1 ? 'ray' : 'notebook')),
      });
      if (chosen.kind === 'value') {
        template = chosen.value;
      }
      answer = chosen;
    } else if (current === 'name') {
      const taken = (model.state.clusters ?? []).map(cluster => cluster.name);
      const chosen = await ask({
        ...step,
        prompt: 'Name (optional)',
        placeholder: 'llm-dev',
        value: name,
        check: text => nameProblem(text, taken),
      });
      if (chosen.kind === 'value') {
        name = chosen.value;
      }
      answer = chosen;
    } else if (current === 'limits') {
      const sold = { offers: found.candidates, nodes: preset.nodes };
      const changed = await changeLimits(step, limits, { secrets, packages }, sold);
      if (changed.kind === 'value') {
        limits = changed.value;
      }
      answer = changed;
    }
    if (answer.kind === 'cancel' || (answer.kind === 'back' && at === 0)) {
      return null;
    }
    at += answer.kind === 'back' ? -1 : 1;
  }
  return {
    ...draftOf(preset, limits),
    template,
    offerIds: found.ids,
    name,
    secrets: secrets.given,
    packages: packages.given,
    environment: packages.given?.id ?? null,
  };
}

/** What packages are pinned for: a cluster with Ray needs it among them. */
const engineOf = (
  templates: readonly TemplateInfo[],
  template: string | null,
  nodes: number,
): 'single' | 'ray' =>
  nodes > 1 || templates.find(({ id }) => id === template)?.engine === 'ray' ? 'ray' : 'single';

function firstOf([first]: readonly Preset[]): Preset {
  if (first === undefined) {
    throw new Error('there are no presets');
  }
  return first;
}

export const presetChoice = (preset: Preset, description: string): Choice<Preset> => ({
  icon: preset.filter.practice === 'only' ? 'beaker' : preset.nodes > 1 ? 'type-hierarchy' : 'chip',
  label: preset.label,
  description,
  detail: preset.detail,
  value: preset,
});

export const withPrices = (
  model: HitchModel,
  presets: readonly Preset[],
): Promise<readonly Choice<Preset>[]> =>
  Promise.all(
    presets.map(async preset => {
      const page = await model.client.api.offers.query(presetQuery(preset)).catch(() => null);
      return presetChoice(preset, page === null ? 'price unknown' : presetPriceWords(preset, page));
    }),
  );

async function pickOffer(
  model: HitchModel,
  step: { title: string; step: number; totalSteps: number },
  preset: Preset,
): Promise<Answer<ChosenOffers>> {
  const best: Choice<ChosenOffers> = {
    icon: 'zap',
    label: 'The best available',
    description: '…',
    detail:
      'The least for an hour of use, everything included. If it is taken, the next best are tried, up to the maximum price that you approve',
    value: { ids: [], candidates: [] },
  };
  const load = async (): Promise<readonly Choice<ChosenOffers>[]> => {
    const { query } = model.client.api.offers;
    const [page, cheapest] = await Promise.all([
      query({ filter: preset.filter, sort: { key: 'best' }, limit: OFFERS_SHOWN }),
      query(presetQuery(preset)),
    ]);
    const titleOf = titlesOf(model.state.providers);
    return [
      {
        ...best,
        value: { ids: [], candidates: page.offers.slice(0, CANDIDATES) },
        description: presetPriceWords(preset, cheapest),
        ...(page.matched > OFFERS_SHOWN
          ? {
              detail: `${best.detail ?? ''}. Below are the first ${OFFERS_SHOWN.toString()}; Hitch: Offer Table has all`,
            }
          : {}),
      },
      ...page.offers.map(offer => {
        const words = offerWords(offer, titleOf, verifiedOf(model.state.providers));
        return {
          icon: 'chip',
          label: words.title,
          description: `${words.price}${offer.practice ? ', practice' : ''}`,
          detail: words.detail,
          value: { ids: [offer.id], candidates: [offer] },
        };
      }),
    ];
  };
  return pick<ChosenOffers>({
    ...step,
    placeholder: 'Which offer? (best first)',
    items: [best],
    later: load(),
  });
}

function templateChoices(
  templates: readonly TemplateInfo[],
  nodes: number,
): readonly Choice<string | null>[] {
  const fitting = templates.filter(
    ({ minNodes, engine, runs, problems }) =>
      !runs && problems === 0 && minNodes <= nodes && (nodes === 1 || engine === 'ray'),
  );
  return fitting.map(({ id, title, description, engine }) => ({
    icon: engine === 'ray' ? 'type-hierarchy' : 'notebook-template',
    label: engine === 'single' ? `${title} (one machine)` : title,
    detail: description,
    value: id,
  }));
}
