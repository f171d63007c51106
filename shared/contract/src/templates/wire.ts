/** What the daemon says of templates: its list, one of them with its form, and what is wrong with a folder. */
import * as z from 'zod';
import { engineKindSchema } from '../engine-kind.ts';
import { microUsdSchema } from '../money.ts';
import { offerFilterSchema } from '../offers.ts';
import { templateChangeSchema } from './changes.ts';
import { templateFormSchema } from './form.ts';
import { templateProblemSchema } from './problem.ts';

/** Where a template comes from: shipped with Hitch, the user's own folder of templates, or a folder that was named. */
export const templateSourceSchema = z.enum(['hitch', 'user', 'folder']);
export type TemplateSource = z.infer<typeof templateSourceSchema>;

/** Of a template that was added from elsewhere: what was agreed to, as `templates.lock` has it. */
export const sharedTemplateSchema = z.object({
  /** As it is written down: `git+https://…#v1.2.0:folder`, or a folder's path. */
  source: z.string(),
  kind: z.enum(['tag', 'branch', 'commit', 'folder']),
  /** Null: it came from a folder. */
  commit: z.string().nullable(),
  digest: z.string(),
  /** The name that the signing key stands for; null: not signed, or by a key that nobody named. */
  signedBy: z.string().nullable(),
  addedAtMs: z.number().int(),
});
export type SharedTemplate = z.infer<typeof sharedTemplateSchema>;

export const templateInfoSchema = z.object({
  /** What it is asked for by: a name, or for a folder that was named its absolute path. */
  id: z.string(),
  source: templateSourceSchema,
  /** Absolute. */
  folder: z.string(),
  title: z.string(),
  description: z.string(),
  version: z.string(),
  tags: z.array(z.string()),
  /** What one machine of it gets; several always have Ray. */
  engine: engineKindSchema,
  minNodes: z.number().int(),
  /** The machine that it would have first, such as `1× RTX 4090, 24 GB; 32 GB memory`; '' where its file is wrong. */
  needs: z.string(),
  /** It has a command; without one it only sets a machine up. */
  runs: z.boolean(),
  /** How many things are wrong with its file; it can be shown and checked, and not used. */
  problems: z.number().int().min(0),
  /** It still works, and its author names why another one is better; left out: it is not. */
  deprecated: z.object({ why: z.string(), use: z.string().nullable() }).optional(),
  /** Left out: it lies where the user put it, or came with Hitch. */
  shared: sharedTemplateSchema.optional(),
});
export type TemplateInfo = z.infer<typeof templateInfoSchema>;

export const templateCheckSchema = z.object({
  folder: z.string(),
  problems: z.array(templateProblemSchema),
  /** What is true and worth knowing, such as offers that a lock leaves out. */
  notes: z.array(templateProblemSchema),
  /** `sha256:…` of the folder with all its files; null where it cannot be a template's. */
  digest: z.string().nullable(),
  /** Files in it, and their size. */
  files: z.number().int().min(0),
  bytes: z.number().int().min(0),
});
export type TemplateCheck = z.infer<typeof templateCheckSchema>;

/** A machine as a template asks for it, in words: `1× RTX 4090 or RTX 5090, 24 GB; 32 GB memory; 100 GB disk; spot`. */
export const templateMachineSchema = z.object({ words: z.string() });

export const templateDetailsSchema = z.object({
  info: templateInfoSchema,
  check: templateCheckSchema,
  /** Null where the file has problems. */
  form: templateFormSchema.nullable(),
  /** In order of preference; of the preset where it has its own. */
  machines: z.array(templateMachineSchema),
  /** What a quote is asked for with; null where the file has problems. A person's own limits take the place of these. */
  rent: z
    .object({
      filter: offerFilterSchema,
      nodes: z.number().int().min(1),
      capMicroUsd: microUsdSchema.nullable(),
      maxNodePricePerHourMicroUsd: microUsdSchema.nullable(),
      timeMs: z.number().int().nullable(),
      idleMs: z.number().int().nullable(),
      /** Paths to save before the end. */
      save: z.array(z.string()),
      secrets: z.array(z.string()),
    })
    .nullable(),
  /** Why no cluster can be rented for it; null: it can. One with a command is run as a job that rents its own machine. */
  refusal: z.object({ message: z.string(), next: z.string() }).nullable(),
  /** What each lock asks of a machine: `cuda13: driver with CUDA 13 or newer`. */
  locks: z.array(
    z.object({ accelerator: z.string(), file: z.string(), packages: z.number().int(), needs: z.string() }),
  ),
  secrets: z.array(z.object({ name: z.string(), why: z.string(), required: z.boolean() })),
  limits: z.object({
    perHour: z.string().nullable(),
    total: z.string().nullable(),
    time: z.string().nullable(),
    idle: z.string().nullable(),
  }),
  outputs: z.array(z.object({ name: z.string(), path: z.string(), kind: z.string() })),
  /** What `hitch template test` runs, and how long that may take; null or left out: it names no test. */
  test: z.object({ preset: z.string(), withinMs: z.number().int() }).nullable().optional(),
  /** What runs, as a person reads it; null: a notebook alone. */
  command: z.string().nullable(),
  notebook: z.string().nullable(),
  /** The beginning of its read-me; null: it has none. */
  readme: z.string().nullable(),
});
export type TemplateDetails = z.infer<typeof templateDetailsSchema>;

/** What a cluster is, as a template to go on with: written into a new folder, and not used by anything. */
export const templateDraftSchema = z.object({
  /** Absolute. */
  folder: z.string(),
  files: z.array(z.string()),
  /** What is still to be done before it can be used. */
  check: templateCheckSchema,
});
export type TemplateDraft = z.infer<typeof templateDraftSchema>;

/** What lies at a source now, before a person agrees to it. Nothing of it is used until then. */
export const templateLookSchema = z.object({
  /** What a yes names. It holds for ten minutes. */
  id: z.string(),
  shared: sharedTemplateSchema,
  /** A key that fits and that nobody named, `SHA256:…`; null: it is not signed, or its signer is known. */
  unknownKey: z.string().nullable(),
  details: templateDetailsSchema,
  /** The same template as it was agreed to before; null: it is not there yet. */
  before: z.object({ version: z.string(), shared: sharedTemplateSchema }).nullable(),
  /** What is different from then; empty where it is not there yet, or is the same. */
  changes: z.array(templateChangeSchema),
});
export type TemplateLook = z.infer<typeof templateLookSchema>;
