/** What stands around the rows: the practice banner, what went wrong, the message where there are none, the footer. */
import { nothing, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import type { OfferFilter, OfferPage, ProviderInfo } from '@hitch/contract';
import { button } from '../base/form.ts';
import type { Translate } from '../base/translate.ts';
import { hiddenWords, realNetworkOn } from './filter-chips.ts';
import type { Suggestion } from './suggestion.ts';
import { countWords, counted, sentenceOf, sourceWords, unverifiedWords } from './words.ts';

interface Around {
  readonly t: Translate;
  readonly titleOf: (provider: string) => string;
  readonly facts: Pick<OfferPage, 'matched' | 'total' | 'sources' | 'hint' | 'hides'> | null;
  readonly problem: unknown;
  readonly offline: string | null;
  readonly filter: OfferFilter;
  readonly providers: readonly ProviderInfo[] | null;
}

const noRealNetwork = (t: Translate): string => t('No real network and no machine of your own is connected.');
const connectButton = (t: Translate, connect: () => void): TemplateResult =>
  button(t('Connect a network…'), connect, { secondary: true });

type Part = TemplateResult | typeof nothing;

export function tableBanners(
  parts: Around & { readonly again: () => void; readonly showReal: () => void; readonly connect: () => void },
): readonly Part[] {
  const { t, facts, problem, offline, filter, providers, again, showReal, connect } = parts;
  const hasPractice = providers?.some(({ kind, enabled }) => enabled && kind === 'practice') !== false;
  const isAmongReal = filter.practice === undefined && realNetworkOn(providers) === false && hasPractice;
  const isPractice = filter.practice === 'only' || isAmongReal;
  const practice = isPractice
    ? html`<div class="note" id="practice">
        <span
          ><strong>${t('Practice')}</strong>:
          ${
            isAmongReal && providers?.some(({ kind, enabled }) => enabled && kind === 'network') === true
              ? t('nobody is charged for its offers; they are processes on this computer, without CUDA.')
              : t('nobody is charged; these are processes on this computer, without CUDA.')
          }</span
        >
        ${
          realNetworkOn(providers) === true
            ? button(t('Show real networks'), showReal, { secondary: true })
            : html`<span class="quiet">${noRealNetwork(t)}</span> ${connectButton(t, connect)}`
        }
      </div>`
    : !hasPractice && realNetworkOn(providers) === false
      ? html`<div class="note" id="connect">${noRealNetwork(t)} ${connectButton(t, connect)}</div>`
      : nothing;
  if (facts === null) {
    return [practice];
  }
  const sentence = offline ?? (problem === null ? null : sentenceOf(problem));
  const trouble =
    sentence === null
      ? nothing
      : html`<div class="note ${offline === null ? 'error' : 'warning'}" id="trouble" role="alert">
          <span>${sentence} ${t('Showing the last known offers.')}</span>
          ${button(t('Try again'), again, { secondary: true })}
        </div>`;
  return [practice, trouble];
}

/** In the place of the rows, where there are none. */
export function tableMessage(
  parts: Around & {
    readonly suggestion: Suggestion | null;
    readonly again: () => void;
    readonly change: (filter: OfferFilter) => void;
    readonly connect: () => void;
  },
): Part {
  const { t, facts, problem, offline, filter, providers, suggestion, again, change, connect } = parts;
  const message = (sentence: string, next: Part) =>
    html`<div class="message" role="status">
      <p>${sentence}</p>
      ${facts === null || facts.hint === null ? nothing : html`<p>${facts.hint}</p>`} ${next}
    </div>`;
  if (facts === null) {
    const sentence = offline ?? (problem === null ? null : sentenceOf(problem));
    return sentence === null ? nothing : message(sentence, button(t('Try again'), again));
  }
  if (facts.matched > 0) {
    return nothing;
  }
  const failed = facts.sources.find(source => source.problem !== null && source.count === 0);
  if (facts.total === 0) {
    return failed?.problem === null || failed === undefined
      ? message(t('No network is turned on.'), nothing)
      : message(`${parts.titleOf(failed.provider)}: ${failed.problem}`, button(t('Try again'), again));
  }
  if (suggestion !== null) {
    return suggested(t, suggestion, message, change);
  }
  if (filter.practice === 'exclude' && realNetworkOn(providers) === false) {
    return message(
      noRealNetwork(t),
      html`${button(t('Show practice offers'), () => {
        change({ ...filter, practice: 'only' });
      })}
      ${connectButton(t, connect)}`,
    );
  }
  return message(
    t('No offers match these filters.'),
    button(filter.text === undefined ? t('Clear all filters') : t('Clear search and filters'), () => {
      change(filter.practice === undefined ? {} : { practice: filter.practice });
    }),
  );
}

/** What was searched for is said in the sentence; a filter is named by what its chip says. */
function suggested(
  t: Translate,
  { label, text, count, without }: Suggestion,
  message: (sentence: string, next: Part) => Part,
  change: (filter: OfferFilter) => void,
): Part {
  const take = () => {
    change(without);
  };
  return text === null
    ? message(
        t('No offers match all filters. Without “%1” there are %2.', label, counted(count)),
        button(t('Remove “%1”', label), take),
      )
    : message(
        t('Nothing matches “%1”. Without this search there are %2 offers.', text, counted(count)),
        button(t('Clear search'), take),
      );
}

export function tableFooter(
  parts: Around & {
    readonly nowMs: number;
    readonly hidden: number;
    readonly again: () => void;
    /** Shows which columns there are. */
    readonly showColumns: () => void;
  },
): TemplateResult {
  const { t, facts, titleOf, nowMs, hidden, again, showColumns } = parts;
  if (facts === null) {
    return html`<div class="footer quiet">
      <span>${parts.offline === null && parts.problem === null ? t('Loading offers…') : nothing}</span>
    </div>`;
  }
  const sources = sourceWords(facts.sources, nowMs, t, titleOf);
  const hides = hiddenWords(facts.hides ?? [], parts.filter, t, titleOf);
  const unverified = unverifiedWords(facts.sources, parts.providers, t);
  return html`<div class="footer quiet">
    <span
      >${countWords(facts, t)}${sources.map(
        ({ text, stale, problem }, index) =>
          html`${index === 0 ? '; ' : ', '}<span
              class=${stale ? 'warning' : nothing}
              title=${problem ?? nothing}
              >${stale ? '⚠ ' : ''}${text}${
                problem === null ? nothing : html`<span class="spoken">: ${problem}</span>`
              }</span
            >`,
      )}${unverified === null ? nothing : html`; ${unverified}`}${hides === null ? nothing : html`; ${hides}`}</span
    >
    <span class="end"
      >${
        hidden === 0
          ? nothing
          : html`<span
              >${hidden === 1 ? t('1 column hidden') : t('%1 columns hidden', hidden)} ·
              ${link('show-columns', t('Show…'), showColumns)}</span
            >`
      }${link('refresh', t('Refresh'), again)}</span
    >
  </div>`;
}

const link = (id: string, words: string, act: () => void): TemplateResult =>
  html`<button class="link" type="button" id=${id} @click=${act}>${words}</button>`;
