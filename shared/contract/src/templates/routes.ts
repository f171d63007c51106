/** Routes of templates: which there are, one with its form, what is wrong with a folder. */
import { oc } from '@orpc/contract';
import * as z from 'zod';
import { clusterIdSchema } from '../ids.ts';
import { parameterValueSchema } from './form.ts';
import {
  templateCheckSchema,
  templateDetailsSchema,
  templateDraftSchema,
  templateInfoSchema,
  templateLookSchema,
} from './wire.ts';

/** Absolute; from a page, a path inside the folder that its server shows. */
const folder = z.string().min(1).max(4096);

export const templates = {
  /** With those of a workspace where its folders are named. What changed a moment ago may be in the next answer first. */
  list: oc
    .route({
      method: 'GET',
      path: '/templates',
      summary: 'Templates: shipped, the user’s own, and of folders',
    })
    .input(z.object({ folders: z.array(folder).max(20).default([]) }).prefault({}))
    .output(z.array(templateInfoSchema)),
  /** Everything that is wrong with a template's folder, each mistake once, with its place. */
  check: oc
    .route({ method: 'POST', path: '/templates/check', summary: 'What is wrong with a template’s folder' })
    .input(
      z.object({
        folder,
        /** In the place of its file, such as what an editor has not saved yet. */
        text: z
          .string()
          .max(512 * 1024)
          .optional(),
        /** The name of its file where it is not `hitch.yaml`; inside the folder itself. */
        fileName: z
          .string()
          .max(200)
          .regex(/^[^/\\\0]+$/)
          .optional(),
      }),
    )
    .output(templateCheckSchema),
  /** One template and its form, with a verdict on each value. Asked again with each change, it is the same in all clients. */
  show: oc
    .route({
      method: 'POST',
      path: '/templates/show',
      summary: 'A template, its form, and what it asks of a machine',
    })
    .input(
      z.object({
        template: z.string().min(1).max(4096),
        preset: z.string().max(80).optional(),
        values: z.record(z.string().max(80), parameterValueSchema).default({}),
      }),
    )
    .output(templateDetailsSchema),
  /** A cluster that is there, as a template to go on with: needs, packages, limits and what ran on it. */
  draft: oc
    .route({ method: 'POST', path: '/templates/draft', summary: 'Write a draft of a cluster as a template' })
    .input(z.object({ clusterId: clusterIdSchema, folder }))
    .output(templateDraftSchema),
  /** Reads a source with the user's own git and login, so that no page may ask for it. */
  look: oc
    .route({
      method: 'POST',
      path: '/templates/look',
      summary: 'What lies at a template’s source now, and what is different from what was agreed to',
    })
    .input(
      z.union([
        z.object({
          /** `git+https://…#ref:path`, `git+ssh://…#ref:path`, or an absolute folder. */
          source: z.string().min(1).max(4096),
        }),
        z.object({
          /** One that was added; from where it came, or from another tag, branch or commit there. */
          template: z.string().min(1).max(4096),
          ref: z.string().min(1).max(200).optional(),
        }),
      ]),
    )
    .output(templateLookSchema),
  /** The yes to what was looked at. It is used as it was seen then, whatever lies at its source by now. */
  take: oc
    .route({ method: 'POST', path: '/templates/shared', summary: 'Use a template that was looked at' })
    .input(z.object({ id: z.string().min(1).max(100) }))
    .output(templateInfoSchema),
  /** Jobs and clusters that were made of it stay. */
  remove: oc
    .route({
      method: 'DELETE',
      path: '/templates/shared/{name}',
      summary: 'Remove a template that was added',
    })
    .input(z.object({ name: z.string().min(1).max(4096) }))
    .output(z.object({})),
};
