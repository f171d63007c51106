/** Dialogs that say what will happen before it does. As a rule the focus starts on the button that changes nothing. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import { Dialog, showQuestion } from '../ui/dialogs.ts';
import { LitWidget } from '../ui/lit-widget.ts';

/** Lines that may still be completed while the dialog is open. */
export class LinesBody extends LitWidget {
  #lines: readonly string[];

  constructor(lines: readonly string[]) {
    super();
    this.#lines = lines;
    this.addClass('jp-Hitch-dialogBody');
  }

  set lines(lines: readonly string[]) {
    this.#lines = lines;
    this.update();
  }

  protected override content(): TemplateResult {
    return html`<ul class="jp-Hitch-lines">
      ${this.#lines.map(line => html`<li>${line}</li>`)}
    </ul>`;
  }
}

export interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly warn?: boolean;
}

export interface Question<T extends string> {
  readonly title: string;
  readonly body: Dialog.Body<unknown>;
  /** The way out that changes nothing; Cancel when left out. */
  readonly stay?: string;
  /** The likeliest last, unless there is a usual one. */
  readonly choices: readonly Choice<T>[];
  /** The choice that Enter takes, where none can do harm by it; else the way out. */
  readonly usual?: T;
  /** What in the body has the focus at first; else the button that Enter takes. */
  readonly focus?: string;
}

/** Null when the person changed their mind. */
export async function ask<T extends string>(
  trans: TranslationBundle,
  { title, body, stay, choices, usual, focus }: Question<T>,
): Promise<T | null> {
  const buttons = [
    Dialog.cancelButton({ label: stay ?? trans.__('Cancel') }),
    ...choices.map(({ value, label, warn }) =>
      Dialog.createButton({
        label,
        accept: true,
        actions: [value],
        displayType: warn === true ? 'warn' : 'default',
      }),
    ),
  ];
  const { button } = await showQuestion({
    title,
    body,
    buttons,
    defaultButton: 1 + choices.findIndex(({ value }) => value === usual),
    ...(focus === undefined ? {} : { focusNodeSelector: focus }),
  });
  return choices.find(({ value }) => button.accept && button.actions.includes(value))?.value ?? null;
}
