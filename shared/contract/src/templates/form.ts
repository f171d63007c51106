/** A template's form as data: the daemon judges the values, and every client shows the same. */
import * as z from 'zod';
import { shownValue, typedValue, valueProblem, type ParameterValue } from './parameters.ts';
import type { Template, TemplateParameter } from './schema.ts';
import { didYouMean } from './values.ts';

export const parameterValueSchema = z.union([z.string().max(10_000), z.number(), z.boolean()]);

export const formFieldSchema = z.object({
  name: z.string(),
  type: z.enum(['number', 'integer', 'text', 'boolean', 'choice', 'model', 'dataset', 'upload']),
  title: z.string(),
  description: z.string().nullable(),
  /** Fields of one group stand together. */
  group: z.string().nullable(),
  /** Shown after a click. */
  advanced: z.boolean(),
  /** A person must give it: it has no default. */
  required: z.boolean(),
  default: parameterValueSchema.nullable(),
  /** What stands in the field: given, else of the preset, else the default. */
  value: parameterValueSchema.nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  maxLength: z.number().int().nullable(),
  choices: z.array(z.string()),
  /** What is wrong with the value, a sentence. */
  problem: z.string().nullable(),
});
export type FormField = z.infer<typeof formFieldSchema>;

export const templateFormSchema = z.object({
  fields: z.array(formFieldSchema),
  presets: z.array(z.object({ name: z.string(), title: z.string(), description: z.string().nullable() })),
  /** The one that fills the fields; null: defaults do. */
  preset: z.string().nullable(),
  /** What is wrong with the form as a whole, such as a value for a parameter that there is not. */
  problems: z.array(z.string()),
});
export type TemplateForm = z.infer<typeof templateFormSchema>;

export interface FormValues {
  readonly preset?: string | undefined;
  /** By the parameter's name; texts are read as the parameter's type, as a field or a flag gives them. */
  readonly values?: Readonly<Record<string, ParameterValue>> | undefined;
}

export function templateForm(template: Template, { preset, values = {} }: FormValues): TemplateForm {
  const names = Object.keys(template.parameters);
  const chosen =
    preset === undefined || !Object.hasOwn(template.presets, preset) ? undefined : template.presets[preset];
  const presets = Object.keys(template.presets);
  return {
    fields: Object.entries(template.parameters).map(([name, parameter]) =>
      field(name, parameter, {
        given: Object.hasOwn(values, name) ? values[name] : undefined,
        preset: chosen?.parameters[name],
      }),
    ),
    presets: Object.entries(template.presets).map(([name, { title, description }]) => ({
      name,
      title,
      description: description ?? null,
    })),
    preset: chosen === undefined ? null : (preset ?? null),
    problems: [
      ...(preset !== undefined && chosen === undefined
        ? [
            `There is no preset “${preset.slice(0, 80)}”.${didYouMean(preset, presets, ` There are: ${presets.join(', ') || 'none'}.`)}`,
          ]
        : []),
      ...Object.keys(values)
        .filter(name => !names.includes(name))
        .map(
          name =>
            `There is no parameter “${name.slice(0, 80)}”.${didYouMean(name, names, ` There are: ${names.join(', ') || 'none'}.`)}`,
        ),
    ],
  };
}

interface Sources {
  readonly given: ParameterValue | undefined;
  readonly preset: unknown;
}

function field(name: string, parameter: TemplateParameter, { given, preset }: Sources): FormField {
  const read = typeof given === 'string' ? typedValue(parameter, given) : given;
  const value = read ?? preset ?? parameter.default ?? null;
  const title = parameter.title ?? name;
  const problem = value === null ? null : valueProblem(parameter, value);
  const limits =
    parameter.type === 'number' || parameter.type === 'integer'
      ? parameter
      : { min: undefined, max: undefined };
  return {
    name,
    type: parameter.type,
    title,
    description: parameter.description ?? null,
    group: parameter.group ?? null,
    advanced: parameter.advanced ?? false,
    required: parameter.default === undefined,
    default: parameter.default ?? null,
    value:
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null,
    min: limits.min ?? null,
    max: limits.max ?? null,
    maxLength: parameter.type === 'text' ? (parameter.maxLength ?? null) : null,
    choices: parameter.type === 'choice' ? parameter.of : [],
    problem:
      value === null
        ? `“${title}” is needed; it has no default.`
        : problem === null
          ? null
          : `“${title}” is ${shownValue(value)}${problem}`,
  };
}

/** @returns the first thing that is wrong with a form, a sentence; null: it can be used. */
export const formProblem = ({ fields, problems }: TemplateForm): string | null =>
  problems[0] ?? fields.find(each => each.problem !== null)?.problem ?? null;

/** The values that a job gets, by the parameter's name. */
export const formValues = ({ fields }: TemplateForm): Readonly<Record<string, ParameterValue>> =>
  Object.fromEntries(fields.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])));
