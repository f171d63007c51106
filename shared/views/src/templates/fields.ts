/** A template's parameters as fields. What is wrong with a value is the daemon's word; nothing is judged here. */
import type { FormField, TemplateForm } from '@hitch/contract';
import { nothing, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import { boxes, selectInput, textInput } from '../base/form.ts';
import type { Translate } from '../base/translate.ts';

export type ParameterTexts = Readonly<Record<string, string | number | boolean>>;

export interface FieldsPart {
  readonly t: Translate;
  readonly form: TemplateForm;
  /** As typed, by name; what is not here has the value of the preset, else of the default. */
  readonly typed: ParameterTexts;
  /** Whether what is missing is said, or only what was typed is judged. */
  readonly saysMissing: boolean;
  readonly changed: (name: string, value: string | boolean) => void;
  readonly choosePreset: (preset: string | null) => void;
}

const HELP: Readonly<Partial<Record<FormField['type'], string>>> = {
  model: 'A model of the Hugging Face hub, or a folder on the cluster',
  dataset: 'A data set of the Hugging Face hub, or a folder on the cluster',
  upload: 'A file or folder of the template',
};

/** `1 to 100000`, `at least 1`, `up to 80 characters` */
export function rangeWords({ min, max, maxLength }: FormField, t: Translate): string | null {
  const written = (value: number): string => value.toString();
  if (min !== null && max !== null) {
    return t('%1 to %2', written(min), written(max));
  }
  return min !== null
    ? t('at least %1', written(min))
    : max !== null
      ? t('at most %1', written(max))
      : maxLength !== null
        ? t('up to %1 characters', maxLength)
        : null;
}

const helpWords = (field: FormField, t: Translate): string => {
  const kind = HELP[field.type];
  return [field.description ?? (kind === undefined ? null : t(kind)), rangeWords(field, t)]
    .filter(part => part !== null && part !== '')
    .join('; ');
};

export const fieldId = (name: string): string => `parameter-${name}`;

/** What stands in a field: as typed, else the daemon's value. */
const textOf = ({ name, value }: FormField, typed: ParameterTexts): string =>
  (Object.hasOwn(typed, name) ? typed[name] : value)?.toString() ?? '';

/** What is said of a field now. */
export const shownProblem = (
  { name, problem }: FormField,
  { typed, saysMissing }: Pick<FieldsPart, 'typed' | 'saysMissing'>,
): string | null => (saysMissing || Object.hasOwn(typed, name) ? problem : null);

function fieldInput(part: FieldsPart, field: FormField): TemplateResult {
  const { t, typed, changed } = part;
  const { name, required } = field;
  const label = required ? t('%1 (required)', field.title) : field.title;
  const problem = shownProblem(field, part);
  const value = textOf(field, typed);
  const id = fieldId(name);
  switch (field.type) {
    case 'boolean':
      return boxes(
        label,
        [{ value: 'on', words: field.description ?? t('on') }],
        value === 'true' ? ['on'] : [],
        chosen => changed(name, chosen.length > 0),
      );
    case 'choice':
      return selectInput({
        id,
        label,
        value,
        options: [
          ...(field.value === null ? [{ value: '', words: t('choose…'), disabled: true }] : []),
          ...field.choices.map(choice => ({ value: choice, words: choice })),
        ],
        help: field.description ?? '',
        problem,
        changed: chosen => changed(name, chosen),
      });
    default:
      return textInput({
        id,
        label,
        value,
        help: helpWords(field, t),
        saysHelp: true,
        problem,
        typed: text => changed(name, text),
        changed: text => changed(name, text),
      });
  }
}

/** Those of one group stand together under its name; the order is the file's. */
function grouped(part: FieldsPart, fields: readonly FormField[]): readonly TemplateResult[] {
  return [...Map.groupBy(fields, ({ group }) => group ?? '')].map(([group, members]) =>
    group === ''
      ? html`<div class="fields">${members.map(field => fieldInput(part, field))}</div>`
      : html`<fieldset class="group">
          <legend class="label">${group}</legend>
          <div class="fields">${members.map(field => fieldInput(part, field))}</div>
        </fieldset>`,
  );
}

export function templateFields(part: FieldsPart): TemplateResult {
  const { t, form } = part;
  const usual = form.fields.filter(({ advanced }) => !advanced);
  const advanced = form.fields.filter(field => field.advanced);
  // What has to be mended must be seen.
  const isOpen = advanced.some(field => shownProblem(field, part) !== null);
  const chosen = form.presets.find(({ name }) => name === form.preset);
  return html`
    ${
      form.presets.length === 0
        ? nothing
        : selectInput({
            id: 'preset',
            label: t('Preset'),
            value: form.preset ?? '',
            options: [
              { value: '', words: t('none: the defaults') },
              ...form.presets.map(({ name, title }) => ({ value: name, words: title })),
            ],
            help:
              chosen?.description ?? t('Sets the fields and the machine; you can change the fields after'),
            changed: preset => part.choosePreset(preset === '' ? null : preset),
          })
    }
    ${form.problems.map(problem => html`<p class="note error" role="alert">${problem}</p>`)}
    ${grouped(part, usual)}
    ${
      advanced.length === 0
        ? nothing
        : html`<details ?open=${isOpen}>
            <summary>${t('More settings')}</summary>
            ${grouped(part, advanced)}
          </details>`
    }
  `;
}
