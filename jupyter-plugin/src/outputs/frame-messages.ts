/** What a frame may say to JupyterLab's page. A stranger's program speaks there, so each message is looked at whole. */
import * as z from 'zod';
import { LONGEST_LINK } from '../frame/words.ts';

/** One comm message of a widget; a picture or a file for the kernel is the largest. */
const MOST_BYTES = 64 * 1024 * 1024;
const id = z.string().min(1).max(200);

export const fromFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('height'), px: z.number().min(0).max(1e9) }),
  z.object({ type: z.literal('need'), name: z.enum(['plotly', 'vega', 'widgets']) }),
  z.object({ type: z.literal('models'), root: id }),
  z.object({
    type: z.literal('comm'),
    number: z.number().int(),
    id,
    data: z.record(z.string().max(200), z.unknown()),
    buffers: z
      .array(z.instanceof(ArrayBuffer))
      .max(1_000)
      .refine(buffers => buffers.reduce((sum, { byteLength }) => sum + byteLength, 0) <= MOST_BYTES),
  }),
  z.object({ type: z.literal('link'), href: z.string().max(LONGEST_LINK).nullable() }),
  z.object({ type: z.literal('blocked'), from: z.string().max(500) }),
  z.object({ type: z.literal('shown') }),
  z.object({ type: z.literal('leave') }),
]);
export type FromFrame = z.infer<typeof fromFrame>;
