/**
 * `hitch-template/1`: what the file `hitch.yaml` of a template folder may say. The JSON Schema for editors is made from this
 * and from nothing else (`json-schema.ts`). What one field says about another is in the files `rules-*.ts`.
 */
import * as z from 'zod';

export const TEMPLATE_SCHEMA = 'hitch-template/1';
export const TEMPLATE_FILE = 'hitch.yaml';

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,47}$/, 'must be 2 to 48 small letters, digits and hyphens, a letter first');
const parameterName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,47}$/, 'must be small letters, digits and underscores, a letter first');
const secretName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'must be capital letters, digits and underscores, such as HF_TOKEN');
const version = z
  .string()
  .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, 'must be a version of three numbers, such as 1.2.0');
const dollars = z.string().regex(/^\$\d{1,6}(\.\d{1,6})?$/, 'must be an amount such as "$5" or "$0.46"');
const time = z.string().regex(/^[1-9]\d{0,6}[smhd]$/, 'must be a time with its unit, such as 30m or 2h');
/** Inside the template's folder here, inside the work folder on a machine. */
const path = z
  .string()
  .min(1)
  .max(500)
  .regex(
    /^(?!\/)(?![A-Za-z]:)(?!(?:.*\/)?\.\.(?:\/|$))[^\0\n\r\\]*$/,
    'must be a path inside the template’s folder',
  );
const sentence = z.string().min(1).max(300);
const title = z.string().min(1).max(60);

const shown = {
  title: title.optional(),
  description: sentence.optional(),
  /** Parameters of one group stand together in a form. */
  group: z.string().max(40).optional(),
  /** Shown after a click. */
  advanced: z.boolean().optional(),
};

/** A default makes it optional. */
export const parameterSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('number'),
    default: z.number().optional(),
    min: z.number().optional(),
    max: z.number().optional(),
    ...shown,
  }),
  z.strictObject({
    type: z.literal('integer'),
    default: z.int().optional(),
    min: z.int().optional(),
    max: z.int().optional(),
    ...shown,
  }),
  z.strictObject({
    type: z.literal('text'),
    default: z.string().max(10_000).optional(),
    /** A regular expression of JavaScript that all of the text fits. */
    pattern: z.string().max(200).optional(),
    maxLength: z.int().min(1).max(10_000).optional(),
    ...shown,
  }),
  z.strictObject({ type: z.literal('boolean'), default: z.boolean().optional(), ...shown }),
  z.strictObject({
    type: z.literal('choice'),
    default: z.string().optional(),
    of: z.array(z.string().min(1).max(200)).min(2).max(100),
    ...shown,
  }),
  /** A name of the hub, a folder on the cluster, or `tiny`. */
  z.strictObject({
    type: z.literal('model'),
    default: z.string().max(500).optional(),
    /** Of the default one, for who has no network: a disk that is too small is refused before anything is rented. */
    sizeGiB: z.number().positive().max(65_536).optional(),
    ...shown,
  }),
  z.strictObject({ type: z.literal('dataset'), default: z.string().max(500).optional(), ...shown }),
  /** A file of this computer that goes along. */
  z.strictObject({ type: z.literal('upload'), default: path.optional(), ...shown }),
]);
export type TemplateParameter = z.infer<typeof parameterSchema>;

export const resourceSchema = z.strictObject({
  gpu: z
    .strictObject({
      models: z.array(z.string().min(1).max(80)).min(1).max(50).optional(),
      vramGiB: z.int().min(1).max(4096).optional(),
      count: z.int().min(1).max(16).default(1),
    })
    .optional(),
  cpus: z.int().min(1).max(1024).optional(),
  memoryGiB: z.int().min(1).max(65_536).optional(),
  diskGiB: z.int().min(1).max(1_048_576).optional(),
  machine: z.enum(['vm', 'container', 'any']).default('any'),
  spot: z.enum(['never', 'allowed', 'only']).default('never'),
});
export type TemplateResource = z.infer<typeof resourceSchema>;

/** Exactly one of `command` and `script`; a rule says so in a sentence. */
const commandSchema = z
  .strictObject({
    /** A program and its arguments. `${{ params.x }}` stands inside an argument and stays one argument. */
    command: z.array(z.string().max(10_000)).max(200).optional(),
    /** A text for a shell, in which nothing is replaced; values are in $HITCH_PARAM_X. */
    script: z.string().max(20_000).optional(),
    folder: path.optional(),
  })
  .meta({ oneOf: [{ required: ['command'] }, { required: ['script'] }] });
export type TemplateCommand = z.infer<typeof commandSchema>;

export const ACCELERATORS = ['cuda13', 'cuda12', 'rocm', 'cpu'] as const;
export type Accelerator = (typeof ACCELERATORS)[number];

const count = z.int().min(1).max(64);

export const templateSchema = z.strictObject({
  schema: z.literal(TEMPLATE_SCHEMA).describe('The version of this format'),
  name: name.describe('How it is called on the command line'),
  version: version.describe('Three numbers; what is removed or retyped needs a new first one'),
  title,
  description: sentence,
  license: z.string().max(100).optional().describe('As SPDX writes it, such as Apache-2.0'),
  authors: z.array(z.string().min(1).max(200)).max(50).optional(),
  tags: z.array(z.string().min(1).max(40)).max(20).optional(),
  readme: path.optional().describe('Shown beside the form; README.md where nothing is said and there is one'),
  hitch: z
    .string()
    .regex(/^>=\d+\.\d+(\.\d+)?$/, 'must be the oldest version that it works with, such as ">=0.3"')
    .optional()
    .describe('The oldest version of Hitch that it works with, such as ">=0.3"'),
  deprecated: z
    .strictObject({
      why: sentence,
      use: z
        .string()
        .min(1)
        .max(1000)
        .optional()
        .describe('The name, or the source, of what takes its place'),
    })
    .optional()
    .describe('It still works, and another one takes its place; said in lists and forms'),
  parameters: z.record(parameterName, parameterSchema).default({}),
  presets: z
    .record(
      name,
      z.strictObject({
        title,
        description: sentence.optional(),
        parameters: z.record(parameterName, z.unknown()).default({}),
        resources: z.array(resourceSchema).min(1).max(20).optional(),
      }),
    )
    .default({})
    .describe('Combinations that are known to work, each with the machine that it needs'),
  environment: z
    .strictObject({
      python: z.string().regex(/^3\.\d{1,2}$/, 'must be a Python version in quotes, such as "3.12"'),
      locks: z
        .strictObject({
          cuda13: path.optional(),
          cuda12: path.optional(),
          rocm: path.optional(),
          cpu: path.optional(),
        })
        .describe('A lock file for each accelerator, as hitch template lock writes them'),
      image: z.string().max(500).optional().describe('For Kubernetes: the image of its pods'),
    })
    .optional(),
  cluster: z
    .strictObject({
      engine: z.enum(['single', 'ray', 'torchrun', 'any']).default('any'),
      nodes: z.union([count, z.strictObject({ min: count, max: count })]).default(1),
      placement: z.enum(['same-host', 'same-network', 'any']).default('same-network'),
    })
    .prefault({}),
  resources: z.array(resourceSchema).min(1).max(20).prefault([{}]).describe('In order of preference'),
  limits: z
    .strictObject({
      perHour: dollars.optional(),
      total: dollars.optional(),
      time: time.optional(),
      idle: time.optional(),
      atLimit: z.enum(['stop', 'save-and-stop', 'ask']).default('save-and-stop'),
    })
    .optional()
    .describe('Proposals that fill the confirmation; a person’s or a team’s lower limit wins'),
  secrets: z
    .record(secretName, z.strictObject({ why: sentence, required: z.boolean().default(false) }))
    .default({}),
  prepare: commandSchema.optional().describe('Runs once on each machine before “run”'),
  run: commandSchema.optional(),
  checkpoints: z
    .strictObject({
      folder: path,
      keep: z.int().min(1).max(1000).default(2),
      resume: z.enum(['by-itself', 'never']).default('by-itself'),
    })
    .optional(),
  retry: z
    .strictObject({
      lost: z.int().min(0).max(100).default(5),
      failed: z.int().min(0).max(20).default(0),
      exitCodes: z.array(z.int().min(0).max(255)).max(50).optional(),
    })
    .optional(),
  outputs: z
    .record(
      name,
      z.strictObject({ path, kind: z.enum(['model', 'metrics', 'data', 'other']).default('other') }),
    )
    .default({}),
  metrics: z
    .record(name, z.strictObject({ line: z.string().min(1).max(500) }))
    .optional()
    .describe(
      'Patterns that find a figure in a line of output: (?<value>…), and (?<step>…) where it says one',
    ),
  notebook: path.optional(),
  serve: z.strictObject({ port: z.int().min(1).max(65_535), ready: z.string().max(500) }).optional(),
  kubernetes: z
    .strictObject({
      runtimeClass: z.string().max(100).optional(),
      sharedMemoryGiB: z.int().min(1).max(65_536).optional(),
      nodeSelector: z.record(z.string(), z.string().max(200)).optional(),
    })
    .optional(),
  test: z
    .strictObject({ preset: name, within: time })
    .optional()
    .describe('What hitch template test runs, and how long it may take'),
});
export type Template = z.infer<typeof templateSchema>;

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** @returns milliseconds of a time such as `30m`; undefined for another text. */
export function timeMs(text: unknown): number | undefined {
  const [, number, unit] = typeof text === 'string' ? (/^(\d{1,7})([smhd])$/.exec(text) ?? []) : [];
  return number === undefined ? undefined : Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** @returns micro-dollars of an amount such as `$0.46`; undefined for another text. */
export function amountMicroUsd(text: unknown): bigint | undefined {
  const [, whole, part = ''] =
    typeof text === 'string' ? (/^\$(\d{1,6})(?:\.(\d{1,6}))?$/.exec(text) ?? []) : [];
  return whole === undefined ? undefined : BigInt(whole) * 1_000_000n + BigInt(part.padEnd(6, '0'));
}
