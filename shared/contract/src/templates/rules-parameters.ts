/** Parameters, their defaults, and presets that set them. */
import type { Findings } from './findings.ts';
import { shownValue, valueProblem, wholePattern } from './parameters.ts';
import { parameterSchema, type TemplateParameter } from './schema.ts';
import { didYouMean, entriesAt, isGroup, listAt, numberAt, textAt, valueAt } from './values.ts';

/** A parameter whose own description is right; defaults are judged against it. */
export function soundParameter(findings: Findings, name: string): TemplateParameter | null {
  const written = valueAt(findings.data, ['parameters', name]);
  if (!isGroup(written)) {
    return null;
  }
  // A wrong default is said once, and is no reason to leave presets unjudged.
  const { default: _default, ...described } = written;
  const read = parameterSchema.safeParse(described);
  return read.success ? read.data : null;
}

export function sayParameters(findings: Findings): void {
  for (const [name] of entriesAt(findings.data, ['parameters'])) {
    const path = ['parameters', name];
    const [min, max] = [numberAt(findings.data, [...path, 'min']), numberAt(findings.data, [...path, 'max'])];
    if (min !== undefined && max !== undefined && min > max) {
      findings.rule(
        [path],
        [...path, 'min'],
        `The least of “${name}” (${min}) is more than its most (${max}).`,
      );
      findings.breaks([...path, 'min']);
      findings.breaks([...path, 'max']);
      continue;
    }
    const pattern = textAt(findings.data, [...path, 'pattern']);
    if (pattern !== undefined && wholePattern(pattern) === null) {
      findings.rule([path], [...path, 'pattern'], `The pattern of “${name}” is no regular expression.`);
      continue;
    }
    const choices = listAt(findings.data, [...path, 'of']);
    const twice = choices.find((choice, index) => choices.indexOf(choice) !== index);
    if (typeof twice === 'string') {
      findings.rule([path], [...path, 'of'], `“${twice}” stands twice among the choices of “${name}”.`);
    }
    sayDefault(findings, name);
  }
}

function sayDefault(findings: Findings, name: string): void {
  const path = ['parameters', name, 'default'];
  const value = valueAt(findings.data, path);
  const parameter = soundParameter(findings, name);
  const problem = parameter === null || value === undefined ? null : valueProblem(parameter, value);
  if (problem !== null) {
    findings.rule([], path, `The default of “${name}” is ${shownValue(value)}${problem}`);
  }
}

export function sayPresets(findings: Findings): void {
  const names = findings.namesIn(['parameters']);
  for (const [preset] of entriesAt(findings.data, ['presets'])) {
    for (const [name, value] of entriesAt(findings.data, ['presets', preset, 'parameters'])) {
      const path = ['presets', preset, 'parameters', name];
      if (names === null) {
        continue;
      }
      if (!names.includes(name)) {
        findings.rule(
          [['parameters']],
          path,
          `The preset “${preset}” sets “${name}”, which is no parameter.${didYouMean(name, names)}`,
          'key',
        );
        continue;
      }
      const parameter = soundParameter(findings, name);
      const problem = parameter === null ? null : valueProblem(parameter, value);
      if (problem !== null) {
        findings.rule(
          [
            ['parameters', name, 'min'],
            ['parameters', name, 'max'],
          ],
          path,
          `The preset “${preset}” sets “${name}” to ${shownValue(value)}${problem}`,
        );
      }
    }
  }
}

/** What is tested must be there, and need nothing from a person. */
export function sayTest(findings: Findings): void {
  const preset = textAt(findings.data, ['test', 'preset']);
  const presets = findings.namesIn(['presets']);
  if (preset === undefined || presets === null) {
    return;
  }
  if (!presets.includes(preset)) {
    findings.rule(
      [],
      ['test', 'preset'],
      `There is no preset “${preset}” to test with.${didYouMean(preset, presets)}`,
    );
    return;
  }
  if (!findings.has(['run']) && findings.isSound(['run'])) {
    findings.rule([], ['test'], 'There is nothing to test: the template has no “run”.', 'key');
  }
  const given = new Set(entriesAt(findings.data, ['presets', preset, 'parameters']).map(([name]) => name));
  const open = entriesAt(findings.data, ['parameters'])
    .filter(([name, value]) => isGroup(value) && value['default'] === undefined && !given.has(name))
    .map(([name]) => name)
    .filter(name => findings.isSound(['parameters', name]));
  if (open.length > 0) {
    findings.rule(
      [['presets', preset]],
      ['test', 'preset'],
      `The preset “${preset}” cannot be tested by itself: it leaves out ${open.map(name => `“${name}”`).join(', ')}, which ${open.length === 1 ? 'has' : 'have'} no default.`,
    );
  }
}
