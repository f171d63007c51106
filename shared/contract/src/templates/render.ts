/** A template with its values as what runs: arguments with values in their places, and variables for scripts. */
import type { ParameterValue } from './parameters.ts';
import type { Template, TemplateCommand } from './schema.ts';

export type Values = Readonly<Record<string, ParameterValue>>;

export interface RenderedCommand {
  readonly work:
    | { readonly kind: 'command'; readonly command: readonly string[] }
    | { readonly kind: 'script'; readonly script: string };
  /** Inside the work folder; '': the work folder itself. */
  readonly folder: string;
}

const PLACE = /\$\{\{\s*(params|outputs|checkpoints)\.([A-Za-z0-9_-]+)\s*\}\}/g;

/** A value inside an argument: numbers as JSON writes them, so that 2e-7 stays one that every language reads. */
const written = (value: ParameterValue): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

/** What a place stands for; a checked template has no place that stands for nothing. */
function placed(template: Template, values: Values, group: string, name: string): string {
  switch (group) {
    case 'params':
      return written(values[name] ?? '');
    case 'outputs':
      return template.outputs[name]?.path ?? '';
    default:
      return template.checkpoints?.folder ?? '';
  }
}

/**
 * A command's arguments with their values. Each entry stays one argument whatever the value holds, and what a value
 * brings is not looked through again. A script stays as it is written: its values are variables.
 */
export function renderCommand(template: Template, what: TemplateCommand, values: Values): RenderedCommand {
  const folder = what.folder ?? '';
  if (what.command === undefined) {
    return { work: { kind: 'script', script: what.script ?? '' }, folder };
  }
  const command = what.command.map(entry =>
    entry.replaceAll(PLACE, (_all, group: string, name: string) => placed(template, values, group, name)),
  );
  return { work: { kind: 'command', command }, folder };
}

/** `HITCH_PARAM_LEARNING_RATE=0.0002`, for scripts and for code that reads its environment. */
export const parameterVariables = (values: Values): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`HITCH_PARAM_${name.toUpperCase()}`, written(value)]),
  );
