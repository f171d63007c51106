/** The one MIME type that carries what is active in an output of a cluster's kernel. Only a frame ever draws it. */
import * as z from 'zod';

export const FRAMED = 'application/vnd.hitch.framed+json';

const bundleSchema = z.record(z.string(), z.unknown());

export const framedSchema = z.object({
  /** The kernel that sent it; null where it came with a notebook. */
  kernel: z.string().max(200).nullable(),
  /** A kernel's name, where a file has brought this: the kernel counts only if it is on that name's cluster. */
  on: z.string().max(200).optional(),
  /** What is active, by MIME type. */
  data: bundleSchema,
  metadata: bundleSchema,
});
export type Framed = z.infer<typeof framedSchema>;

/** Whether the kernel with this id is known to be on the cluster that a kernel's name speaks of. */
export type IsOn = (kernel: string, name: string) => boolean;

/** The kernel whose widgets and libraries an output may reach. Which kernels there are may only be known later. */
export const kernelOf = ({ kernel, on }: Framed, isOn: IsOn): string | null =>
  kernel === null || on === undefined || isOn(kernel, on) ? kernel : null;

export type Bundle = Readonly<Record<string, unknown>>;

export const isBundle = (value: unknown): value is Bundle =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A notebook file keeps long texts as lists of lines. Null for what is no text. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'string') {
    return value;
  }
  return Array.isArray(value) && value.every(line => typeof line === 'string') ? value.join('') : null;
}
