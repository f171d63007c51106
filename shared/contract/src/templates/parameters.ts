/** Judges the values of a template's parameters: defaults, presets, and what a person types into a form or a flag. */
import type { TemplateParameter } from './schema.ts';
import { called } from './values.ts';

export type ParameterValue = string | number | boolean;

/** A value as it stands in the middle of a sentence about it. */
export const shownValue = (value: unknown): string =>
  typeof value === 'number'
    ? String(value)
    : typeof value === 'string' && value !== ''
      ? called(value).replace('the text ', '')
      : called(value);

/** @returns the pattern, all of the text; null where it is no regular expression. */
export function wholePattern(pattern: string): RegExp | null {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    return null;
  }
}

/**
 * What is wrong with a value, as the end of a sentence (`; it must be at most 1.`); null: nothing. A pattern is tried on
 * texts of at most 1,000 characters, since a template's author may have written one that takes for ever on a long one.
 */
export function valueProblem(parameter: TemplateParameter, value: unknown): string | null {
  switch (parameter.type) {
    case 'number':
    case 'integer':
      return numberProblem(parameter, value);
    case 'boolean':
      return typeof value === 'boolean' ? null : '; it must be true or false.';
    case 'choice':
      if (typeof value !== 'string') {
        return '; it must be text.';
      }
      return parameter.of.includes(value)
        ? null
        : `, which is none of its choices: ${parameter.of.join(', ')}.`;
    case 'text':
      return textProblem(parameter, value);
    case 'model':
    case 'dataset':
    case 'upload':
      if (typeof value !== 'string') {
        return '; it must be text.';
      }
      return value === ''
        ? '; write something.'
        : value.length > 500
          ? '; it must have at most 500 characters.'
          : null;
  }
}

function numberProblem(
  {
    type,
    min,
    max,
  }: {
    readonly type: 'number' | 'integer';
    readonly min?: number | undefined;
    readonly max?: number | undefined;
  },
  value: unknown,
): string | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return `; it must be a ${type === 'integer' ? 'whole ' : ''}number.`;
  }
  if (type === 'integer' && !Number.isSafeInteger(value)) {
    return '; it must be a whole number.';
  }
  if (min !== undefined && value < min) {
    return `; it must be at least ${min}.`;
  }
  return max !== undefined && value > max ? `; it must be at most ${max}.` : null;
}

const LONGEST_FOR_PATTERN = 1000;

function textProblem(
  { pattern, maxLength }: { readonly pattern?: string | undefined; readonly maxLength?: number | undefined },
  value: unknown,
): string | null {
  if (typeof value !== 'string') {
    return '; it must be text.';
  }
  const most = maxLength ?? (pattern === undefined ? 10_000 : LONGEST_FOR_PATTERN);
  if (value.length > most) {
    return `; it must have at most ${most} characters.`;
  }
  const whole = pattern === undefined ? null : wholePattern(pattern);
  return whole === null || whole.test(value) ? null : `; it must fit ${pattern ?? ''}.`;
}

/**
 * A value as it is typed on a command line or into a form's field, made one of the parameter's type.
 * What cannot be read stays a text, and `valueProblem` says so.
 */
export function typedValue(parameter: TemplateParameter, text: string): ParameterValue {
  switch (parameter.type) {
    case 'number':
    case 'integer': {
      const number = Number(text);
      return text.trim() === '' || Number.isNaN(number) ? text : number;
    }
    case 'boolean':
      return /^(true|yes|on|1)$/i.test(text) ? true : /^(false|no|off|0)$/i.test(text) ? false : text;
    case 'text':
    case 'choice':
    case 'model':
    case 'dataset':
    case 'upload':
      return text;
  }
}
