/** The page with every setting, read from VS Code's manifest and JupyterLab's schema. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { fileURLToPath } from 'node:url';
import { row, table } from './markdown.ts';

const propertySchema = z.looseObject({
  title: z.string().optional(),
  description: z.string().optional(),
  markdownDescription: z.string().optional(),
  default: z.unknown(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  oneOf: z.array(z.object({ const: z.string(), title: z.string() })).optional(),
});
type Property = z.infer<typeof propertySchema>;
const propertiesSchema = z.record(z.string(), propertySchema);
const manifestSchema = z.looseObject({
  contributes: z.looseObject({
    configuration: z.looseObject({ properties: propertiesSchema }),
    commands: z.array(z.looseObject({ title: z.string(), category: z.string() })),
  }),
});
const labSchema = z.looseObject({ properties: propertiesSchema });

const read = (path: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8'));

const valueText = (value: unknown): string => {
  const text = JSON.stringify(value);
  return text === '""' ? 'empty' : `\`${text}\``;
};

/** What may stand there, where that is not any. */
function rangeOf({ minimum, maximum, oneOf }: Property): string {
  if (oneOf !== undefined) {
    return oneOf.map(choice => `\`${choice.const}\`: ${choice.title}`).join('; ');
  }
  return minimum === undefined || maximum === undefined
    ? ''
    : `${minimum.toLocaleString('en')} to ${maximum.toLocaleString('en')}`;
}

const rows = (properties: z.infer<typeof propertiesSchema>): string[] =>
  Object.entries(properties).map(([id, property]) =>
    row([
      `\`${id}\`${property.title === undefined ? '' : `: ${property.title}`}`,
      property.markdownDescription ?? property.description ?? '',
      valueText(property.default),
      rangeOf(property),
    ]),
  );

export function settingsPage(): string {
  const { configuration, commands } = manifestSchema.parse(read('extension/package.json')).contributes;
  const lab = labSchema.parse(read('jupyter-plugin/schema/settings.json'));
  const head = ['Setting', 'What it does', 'Default', 'Values'];
  return [
    '# Settings',
    '',
    'Whatever is set here, the confirmation shows the limits of each rental, and you can change them there.',
    '',
    '## VS Code',
    '',
    'In the settings, search for `hitch`. A workspace can set none of them but the last, since it may be a stranger’s.',
    '',
    ...table(head, rows(configuration.properties)),
    '',
    '### Commands of VS Code',
    '',
    'All stand in the command palette under `Hitch`, where they can be used.',
    '',
    ...commands.map(({ category, title }) => `- ${category}: ${title}`),
    '',
    '## JupyterLab',
    '',
    'In the settings editor, search for `hitch`: _GPU clusters (Hitch)_. The commands stand in the command palette under',
    '_GPUs (Hitch)_.',
    '',
    ...table(head, rows(lab.properties)),
    '',
    '## All clients',
    '',
    'What is usually rented stands in `~/.hitch/presets.yaml` (`hitch presets`), what a team allows in `~/.hitch/policy.yaml` and',
    '`/etc/hitch/policy.yaml`. A daemon also reads [environment variables](environment.md) when it starts.',
    '',
  ].join('\n');
}
