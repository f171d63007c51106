/** A template and its form, as lines for a terminal. */
import type { FormField, TemplateDetails } from '@hitch/contract';

const range = ({ min, max, choices, type }: FormField): string => {
  if (choices.length > 0) {
    return choices.join(' | ');
  }
  const limits =
    min !== null && max !== null
      ? `${min} to ${max}`
      : min !== null
        ? `at least ${min}`
        : max !== null
          ? `at most ${max}`
          : '';
  return limits === '' ? type : `${type}, ${limits}`;
};

/** `steps  200  Steps (integer, 1 to 1000000)` */
export function fieldLine(
  field: FormField,
  widths: { readonly name: number; readonly value: number },
): string {
  const value = field.value === null ? '(needed)' : String(field.value);
  const about = field.description === null ? '' : `. ${field.description}`;
  return `  ${field.name.padEnd(widths.name)}  ${value.padEnd(widths.value)}  ${field.title} (${range(field)})${about}`;
}

export const deprecatedWords = ({ why, use }: NonNullable<TemplateDetails['info']['deprecated']>): string =>
  `Deprecated: ${why}${use === null ? '' : ` Use ${use}.`}`;

/** All that `hitch template show` prints but the problems. */
export function detailLines(details: TemplateDetails): readonly string[] {
  const { info, check, form, machines, locks, secrets, limits, outputs, command, notebook } = details;
  const { shared, deprecated } = info;
  const lines = [
    `${info.title} ${info.version}`,
    info.description,
    shared === undefined ? `Folder: ${info.folder}` : `Added from: ${shared.source}`,
  ];
  if (deprecated !== undefined) {
    lines.push(deprecatedWords(deprecated));
  }
  if (check.digest !== null) {
    lines.push(`${check.files} files, ${Math.ceil(check.bytes / 1024)} kB, ${check.digest}`);
  }
  if (form !== null && form.fields.length > 0) {
    const widths = {
      name: Math.max(...form.fields.map(({ name }) => name.length)),
      value: Math.min(30, Math.max(...form.fields.map(({ value }) => String(value ?? '(needed)').length))),
    };
    lines.push('', form.preset === null ? 'Parameters' : `Parameters, preset ${form.preset}`);
    lines.push(...form.fields.map(field => fieldLine(field, widths)));
  }
  if (form !== null && form.presets.length > 0) {
    lines.push('', 'Presets', ...form.presets.map(({ name, title }) => `  ${name}  ${title}`));
  }
  if (machines.length > 0) {
    lines.push('', 'Machine, in order of preference', ...machines.map(({ words }) => `  ${words}`));
  }
  if (locks.length > 0) {
    lines.push('', 'Environment');
    lines.push(
      ...locks.map(
        ({ accelerator, file, packages, needs }) =>
          `  ${accelerator}  ${file}, ${packages} packages${needs === '' ? '' : `, ${needs}`}`,
      ),
    );
  }
  const proposed = [
    limits.total === null ? null : `at most ${limits.total}`,
    limits.perHour === null ? null : `${limits.perHour}/h`,
    limits.time === null ? null : `${limits.time} long`,
    limits.idle === null ? null : `${limits.idle} idle`,
  ].filter(part => part !== null);
  if (proposed.length > 0) {
    lines.push('', `Limits that it proposes: ${proposed.join(', ')}`);
  }
  if (secrets.length > 0) {
    lines.push('', 'Secrets');
    lines.push(
      ...secrets.map(
        ({ name, why, required }) => `  ${name}  ${why}${required ? ' (needed)' : ' (if you have it)'}`,
      ),
    );
  }
  if (command !== null) {
    lines.push('', 'Runs', ...command.split('\n').map(line => `  ${line}`));
  }
  if (notebook !== null) {
    lines.push('', `Notebook: ${notebook}`);
  }
  if (outputs.length > 0) {
    lines.push('', 'Keeps', ...outputs.map(({ name, path, kind }) => `  ${name}  ${path} (${kind})`));
  }
  return lines;
}
