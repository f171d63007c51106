/** The file of presets, to be changed in a dialog: it lies where JupyterLab's file browser does not lead. */
import { adviceInEditor, HitchError } from '@hitch/contract';
import { Widget } from '@lumino/widgets';
import { ask } from '../actions/ask.ts';
import type { Deps } from '../actions/deps.ts';
import { attempt, said, sentenceOf } from '../actions/report.ts';
import { setText } from '../ui/text.ts';
import type { QuickPresets } from './presets.ts';

const ROWS = 20;

interface Shown {
  readonly file: string;
  readonly text: string;
  /** What is wrong with the text, a line each; empty: nothing. */
  readonly problem: string;
}

class EditBody extends Widget {
  readonly #text = document.createElement('textarea');

  constructor({ file, text, problem }: Shown, label: string) {
    super();
    this.addClass('jp-Hitch-dialogBody');
    const where = document.createElement('p');
    setText(where, file);
    this.#text.value = text;
    this.#text.rows = ROWS;
    this.#text.spellcheck = false;
    this.#text.className = 'jp-Hitch-presets jp-mod-styled';
    this.#text.setAttribute('aria-label', label);
    // Enter is a new line here, and no answer.
    this.#text.addEventListener('keydown', event => {
      if (event.key === 'Enter') {
        event.stopPropagation();
      }
    });
    const wrong = document.createElement('p');
    wrong.className = 'jp-Hitch-problem';
    wrong.setAttribute('role', 'alert');
    wrong.hidden = problem === '';
    setText(wrong, problem);
    this.node.append(where, this.#text, wrong);
  }

  getValue(): string {
    return this.#text.value;
  }
}

export async function editPresets(deps: Deps, presets: QuickPresets): Promise<void> {
  const { trans, hitch } = deps;
  const { api } = hitch.client;
  const again = () => void editPresets(deps, presets);
  const list = await attempt(deps, () => api.offers.presets(), again);
  if (list === null) {
    return;
  }
  let shown: Shown = {
    file: list.file,
    text: list.text,
    problem: list.problems
      .map(({ line, column, sentence }) => trans.__('Line %1, column %2: %3', line, column, sentence))
      .join('\n'),
  };
  for (;;) {
    const body = new EditBody(shown, trans.__('Presets'));
    const answer = await ask<'keep' | 'reset'>(trans, {
      title: trans.__('What you usually rent'),
      body,
      focus: 'textarea',
      choices: [
        { value: 'reset', label: trans.__('Reset to Hitch’s own') },
        { value: 'keep', label: trans.__('Save') },
      ],
    });
    if (answer === null) {
      return;
    }
    const text = body.getValue();
    try {
      presets.take(await api.offers.keepPresets({ text: answer === 'keep' ? text : null }));
      said(trans.__('The presets are saved.'));
      return;
    } catch (error) {
      // What was typed stays, with what is wrong with it below.
      shown = { ...shown, text, problem: problemOf(error) };
    }
  }
}

const problemOf = (error: unknown): string =>
  error instanceof HitchError && error.next !== undefined
    ? `${error.message}\n${adviceInEditor(error.next)}`
    : sentenceOf(error);
