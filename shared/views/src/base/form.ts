/** Form pieces that several views draw alike. */
import { nothing, type TemplateResult } from 'lit';
import { html } from './html.ts';

/**
 * For `mousedown` on a button: what is being typed is taken once the button is let go, with {@link pressed}. Taken at
 * once, it could make room for itself and push the button from under the pointer, and the press would be lost.
 */
export const keepFocus = (event: Event): void => {
  event.preventDefault();
};

/** For `click` on the same button: takes what is being typed, as a press does that moves the focus, then acts. */
export const pressed =
  (act: () => void) =>
  ({ currentTarget: button }: Event): void => {
    if (button instanceof HTMLElement) {
      button.focus();
    }
    act();
  };

/** A button of the kit; a disabled one is told to screen readers, which the kit
 * leaves out, and the tab stop is there from the start, not only once the kit has drawn itself. */
export function button(
  words: string,
  act: () => void,
  options: { readonly secondary?: boolean; readonly disabled?: boolean; readonly id?: string } = {},
): TemplateResult {
  const { secondary = false, disabled = false, id } = options;
  return html`<vscode-button
    id=${id ?? nothing}
    ?secondary=${secondary}
    ?disabled=${disabled}
    tabindex=${disabled ? -1 : 0}
    aria-disabled=${disabled ? 'true' : 'false'}
    @mousedown=${keepFocus}
    @click=${disabled ? nothing : pressed(act)}
    >${words}</vscode-button
  >`;
}

export interface TextInput {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly hint?: string;
  /** Stands below the field; a problem stands in its place. */
  readonly help?: string;
  /** The help holds what a person decides by: it is said with the field's name. */
  readonly saysHelp?: boolean;
  readonly problem?: string | null;
  readonly type?: 'text' | 'datetime-local' | 'search' | 'number';
  readonly disabled?: boolean;
  /** Each key, for a field that works while typing; else once it is left or Enter is pressed. */
  readonly typed?: (value: string) => void;
  /** `empty` is for a field whose text has gone somewhere else. */
  readonly changed: (value: string, empty: () => void) => void;
}

const valueOf = (event: Event): string => {
  const { target } = event;
  return target !== null && 'value' in target && typeof target.value === 'string' ? target.value : '';
};

export { valueOf };

/** A text field of the kit under its label. What is wrong belongs to its name, so that a screen reader says it. */
export function textInput(input: TextInput): TemplateResult {
  const { id, label, value, hint, help, problem = null, type = 'text', disabled = false } = input;
  const said = problem ?? (input.saysHelp === true ? help : undefined);
  const name = [label, ...(said === undefined ? [] : [said])].join('. ');
  return html`<div class="field" id="field-${id}">
    <span class="label" aria-hidden="true">${label}</span>
    <vscode-textfield
      id=${id}
      .label=${name}
      .value=${value}
      .type=${type}
      placeholder=${hint ?? nothing}
      ?invalid=${problem !== null}
      ?disabled=${disabled}
      @input=${(event: Event) => input.typed?.(valueOf(event))}
      @change=${(event: Event) => {
        const { currentTarget: field } = event;
        input.changed(valueOf(event), () => {
          if (field !== null && 'value' in field) {
            field.value = '';
          }
        });
      }}
    ></vscode-textfield>
    ${
      problem === null
        ? help === undefined
          ? nothing
          : html`<span class="help quiet">${help}</span>`
        : html`<span class="help error" role="alert">${problem}</span>`
    }
  </div>`;
}

export function selectInput(input: {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly options: readonly {
    readonly value: string;
    readonly words: string;
    readonly disabled?: boolean;
  }[];
  readonly help?: string;
  readonly problem?: string | null;
  readonly changed: (value: string) => void;
}): TemplateResult {
  const { problem = null } = input;
  return html`<div class="field" id="field-${input.id}">
    <label class="label" for=${input.id}>${input.label}</label>
    <select
      id=${input.id}
      aria-describedby=${`about-${input.id}`}
      aria-invalid=${problem === null ? nothing : 'true'}
      @change=${(event: Event) => {
        input.changed(valueOf(event));
      }}
    >
      ${input.options.map(
        ({ value, words, disabled = false }) =>
          html`<option value=${value} ?disabled=${disabled} .selected=${value === input.value}>
            ${words}
          </option>`,
      )}
    </select>
    <span id=${`about-${input.id}`} class="help ${problem === null ? 'quiet' : 'error'}"
      >${problem ?? input.help ?? ''}</span
    >
  </div>`;
}

/** Boxes of one question. */
export function boxes(
  label: string,
  options: readonly { readonly value: string; readonly words: string }[],
  chosen: readonly string[],
  changed: (values: readonly string[]) => void,
): TemplateResult {
  const toggled = (value: string, on: boolean) =>
    on ? [...chosen, value] : chosen.filter(other => other !== value);
  return html`<fieldset class="field">
    <legend class="label">${label}</legend>
    <div class="boxes">
      ${options.map(
        ({ value, words }) =>
          html`<label
            ><input
              type="checkbox"
              .checked=${chosen.includes(value)}
              @change=${(event: Event) => {
                const { target } = event;
                changed(toggled(value, target instanceof HTMLInputElement && target.checked));
              }}
            />${words}</label
          >`,
      )}
    </div>
  </fieldset>`;
}
