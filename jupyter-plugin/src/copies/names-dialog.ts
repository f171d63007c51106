/** All names of a copy's account, by what became of them. There may be a million: they come in pages. */
import { accountLines, type Copy, type HitchApi, type Outcome, type OutcomeName } from '@hitch/contract';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { sentenceOf } from '../actions/report.ts';
import { Dialog, showQuestion } from '../ui/dialogs.ts';
import { setText } from '../ui/text.ts';
import { nameLine, outcomesIn, outcomeTitle, placeOf } from './words.ts';

export interface NamesOptions {
  readonly api: Pick<HitchApi, 'copies'>;
  readonly trans: TranslationBundle;
  readonly title: string;
  readonly copy: Copy;
}

/** The part of one outcome: those names that came with the account, and the others when they are asked for. */
class OutcomePart {
  readonly node = document.createElement('section');
  readonly #options: NamesOptions;
  readonly #outcome: Outcome;
  readonly #list = document.createElement('ul');
  readonly #more = document.createElement('button');
  readonly #problem = document.createElement('p');
  /** Where the next page begins; the names of the account are not counted on for it. */
  #after = 0;
  #isAsking = false;

  constructor(options: NamesOptions, outcome: Outcome, count: number) {
    this.#options = options;
    this.#outcome = outcome;
    const { trans, copy } = options;
    const title = document.createElement('h3');
    setText(title, outcomeTitle(outcome, count));
    this.#more.type = 'button';
    this.#more.className = 'jp-Button jp-mod-styled jp-mod-minimal';
    setText(this.#more, trans.__('Show more'));
    this.#more.addEventListener('click', () => void this.#next());
    this.#problem.className = 'jp-Hitch-problem';
    this.#problem.setAttribute('role', 'status');
    const names = copy.account.outcomes[outcome]?.names ?? [];
    this.#add(names);
    this.node.append(title, this.#list, this.#problem);
    if (names.length < count) {
      this.node.append(this.#more);
    }
  }

  #add(names: readonly OutcomeName[]): void {
    const { trans } = this.#options;
    for (const name of names) {
      const item = document.createElement('li');
      setText(item, nameLine(this.#outcome, name, trans));
      this.#list.append(item);
    }
  }

  async #next(): Promise<void> {
    const { api, copy } = this.#options;
    if (this.#isAsking) {
      return;
    }
    this.#isAsking = true;
    try {
      const page = await api.copies.names({ copyId: copy.id, outcome: this.#outcome, after: this.#after });
      if (this.#after === 0) {
        this.#list.replaceChildren();
      }
      this.#add(page.names);
      this.#after = page.next ?? this.#after;
      if (page.next === null) {
        // What is taken away with the focus on it would leave the dialog without keys.
        this.node.closest<HTMLElement>('[tabindex]')?.focus();
        this.#more.remove();
      }
      setText(this.#problem, '');
    } catch (error) {
      setText(this.#problem, sentenceOf(error));
    }
    this.#isAsking = false;
  }
}

/** Has the focus at first, so that the keys of a page scroll it. */
class NamesBody extends Widget {
  constructor(options: NamesOptions) {
    super();
    const { trans, title, copy } = options;
    this.addClass('jp-Hitch-dialogBody');
    const { problem } = copy;
    const scrolled = document.createElement('div');
    scrolled.className = 'jp-Hitch-names';
    scrolled.tabIndex = 0;
    scrolled.setAttribute('role', 'region');
    scrolled.setAttribute('aria-label', title);
    const lines = [
      ...accountLines(copy.account).slice(0, 1),
      ...placeOf(trans, copy),
      ...(problem === null ? [] : [problem.message]),
    ];
    for (const line of lines) {
      const paragraph = document.createElement('p');
      setText(paragraph, line);
      scrolled.append(paragraph);
    }
    for (const { outcome, count } of outcomesIn(copy)) {
      scrolled.append(new OutcomePart(options, outcome, count).node);
    }
    this.node.append(scrolled);
  }
}

export async function showNames(options: NamesOptions): Promise<void> {
  await showQuestion({
    title: options.title,
    body: new NamesBody(options),
    buttons: [Dialog.okButton({ label: options.trans.__('Close') })],
    focusNodeSelector: '.jp-Hitch-names',
  });
}
