/** Makes a sentence of each issue that zod finds, at its place. */
import type * as z from 'zod';
import type { Findings } from './findings.ts';
import { keysAt, meantKey } from './json-schema.ts';
import { TEMPLATE_SCHEMA } from './schema.ts';
import { called, didYouMean, nearestKey, shownPath, valueAt, type Path } from './values.ts';

type Issue = z.core.$ZodIssue;

export const PARAMETER_TYPES = [
  'number',
  'integer',
  'text',
  'boolean',
  'choice',
  'model',
  'dataset',
  'upload',
] as const;

const WANTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
  record: 'a group of keys',
};

/** Keys that are not known come first: what they were meant as is then not said to be missing. */
export function sayIssues(findings: Findings, issues: readonly Issue[]): void {
  issues.filter(({ code }) => code === 'unrecognized_keys').forEach(issue => sayIssue(findings, issue, []));
  issues.filter(({ code }) => code !== 'unrecognized_keys').forEach(issue => sayIssue(findings, issue, []));
}

function sayIssue(findings: Findings, issue: Issue, above: Path): void {
  const path = [...above, ...issue.path];
  const value = valueAt(findings.data, path);
  const where = shownPath(path);
  const say = (sentence: string): void => {
    findings.say(path, sentence);
    findings.breaks(path);
  };
  switch (issue.code) {
    case 'unrecognized_keys':
      issue.keys.forEach(key => sayUnknownKey(findings, key, path));
      return;
    case 'invalid_union':
      sayUnion(findings, issue, path);
      return;
    case 'invalid_type':
      if (value === undefined) {
        sayMissing(findings, path);
      } else {
        say(wrongType(findings, path, value, issue.expected));
      }
      return;
    case 'invalid_value':
      if (value === undefined) {
        sayMissing(findings, path);
      } else if (where === 'schema') {
        say(`This file is for another version (${called(value)}); this Hitch reads ${TEMPLATE_SCHEMA}.`);
      } else {
        say(
          `“${where}” is ${called(value)}; it may be ${issue.values.map(String).join(', ')}.${nearValue(value, issue.values)}`,
        );
      }
      return;
    case 'too_small':
    case 'too_big':
      say(bounds(where, value, issue));
      return;
    case 'invalid_format':
      say(
        typeof value === 'string' && value.includes('\\') && issue.message.includes('inside the template')
          ? `“${where}” is ${called(value)}; write / between folders, on Windows too.`
          : `“${where}” is ${called(value)}; it ${issue.message}.`,
      );
      return;
    case 'invalid_key':
      findings.say(
        path,
        `“${String(path.at(-1)).slice(0, 80)}” cannot be a name here; it ${issue.issues[0]?.message ?? 'is not one'}.`,
        'key',
      );
      findings.breaks(path);
      return;
    default:
      say(`“${where}” is ${called(value)}; ${issue.message}.`);
  }
}

function sayUnknownKey(findings: Findings, key: string, path: Path): void {
  const where = shownPath(path);
  const known = keysAt(path, findings.data);
  const place = where === '' ? 'in a template' : `under “${where}”`;
  const rest = known.length === 0 ? '' : ` It may have: ${known.join(', ')}.`;
  findings.say(
    [...path, key],
    `There is no key “${key.slice(0, 80)}” ${place}.${didYouMean(key, known, rest)}`,
    'key',
  );
  const meant = meantKey(key, path, findings.data);
  if (meant !== undefined && !findings.has([...path, meant])) {
    findings.breaks([...path, meant]);
  }
}

function sayMissing(findings: Findings, path: Path): void {
  if (findings.isSound(path)) {
    findings.say(path.slice(0, -1), `“${shownPath(path)}” is missing.`);
    findings.breaks(path);
  }
}

const nearValue = (value: unknown, values: readonly unknown[]): string => {
  const near = typeof value === 'string' ? nearestKey(value, values.map(String)) : undefined;
  // The list stands before it; a second sentence only helps where the list is long.
  return near === undefined || values.length < 8 ? '' : ` Did you mean “${near}”?`;
};

function sayUnion(findings: Findings, issue: z.core.$ZodIssueInvalidUnion, path: Path): void {
  const [, name = ''] = path;
  if (path[0] === 'parameters' && (path.at(-1) === 'type' || issue.errors.length === 0)) {
    const parameter = path.slice(0, 2);
    const type = valueAt(findings.data, [...parameter, 'type']);
    if (type === undefined) {
      findings.say(
        parameter,
        `The parameter “${String(name)}” has no type. It may be: ${PARAMETER_TYPES.join(', ')}.`,
      );
    } else {
      const meant = didYouMean(
        typeof type === 'string' ? type : '',
        PARAMETER_TYPES,
        ` It may be: ${PARAMETER_TYPES.join(', ')}.`,
      );
      findings.say([...parameter, 'type'], `The type of “${String(name)}” is none that there is.${meant}`);
    }
    findings.breaks(parameter);
    return;
  }
  // The way whose issues lie deepest is the one that was meant.
  const depth = (issues: readonly Issue[]): number => Math.min(...issues.map(each => each.path.length), 99);
  const fitting = issue.errors.filter(
    issues => !issues.some(each => each.code === 'invalid_type' && each.path.length === 0),
  );
  const [best] = [...fitting].sort((one, other) => depth(other) - depth(one));
  if (best === undefined) {
    findings.say(
      path,
      `“${shownPath(path)}” is ${called(valueAt(findings.data, path))}; it must be a whole number, or a group of min and max.`,
    );
    findings.breaks(path);
    return;
  }
  best.forEach(each => sayIssue(findings, each, path));
}

/** What is wrong with a value of another kind; where YAML made a number of it, what to write instead. */
function wrongType(findings: Findings, path: Path, value: unknown, expected: string): string {
  const where = shownPath(path);
  if (where === 'environment.python') {
    return `The Python version is read as ${called(value)}. Put it in quotes: python: "${findings.source(path) ?? '3.12'}".`;
  }
  if (/^limits\.(perHour|total)$/.test(where) && typeof value === 'number') {
    return `“${where}” is ${called(value)}. Write an amount with its sign: "$${String(value)}".`;
  }
  if (/^(limits\.(time|idle)|test\.within)$/.test(where) && typeof value === 'number') {
    return `“${where}” is ${called(value)}. Write a time with its unit: ${String(value)}m or ${String(value)}h.`;
  }
  if (where === 'version' && typeof value === 'number') {
    const [whole = '1', part = '0'] = (findings.source(path) ?? String(value)).split('.');
    return `“version” is ${called(value)}. Write three numbers: ${whole}.${part}.0.`;
  }
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return `“${where}” is ${called(value)}; it must be text. Put it in quotes: "${findings.source(path) ?? String(value)}".`;
  }
  const wanted = WANTED[expected] ?? expected;
  const finite = typeof value === 'number' && !Number.isFinite(value) ? 'a number that has an end' : wanted;
  return `“${where}” is ${called(value)}; it must be ${finite}.`;
}

function bounds(
  where: string,
  value: unknown,
  issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
): string {
  const isLess = issue.code === 'too_small';
  const limit = Number(issue.code === 'too_small' ? issue.minimum : issue.maximum);
  const least = isLess ? 'at least' : 'at most';
  switch (issue.origin) {
    case 'string': {
      const length = typeof value === 'string' ? value.length : 0;
      return length === 0
        ? `“${where}” is empty; write something or leave it out.`
        : `“${where}” has ${length} characters; it must have ${least} ${limit}.`;
    }
    case 'array': {
      const entries = Array.isArray(value) ? value.length : 0;
      return `“${where}” has ${entries} ${entries === 1 ? 'entry' : 'entries'}; it must have ${least} ${limit}.`;
    }
    default:
      return `“${where}” is ${called(value)}; it must be ${least} ${limit}.`;
  }
}
