/**
 * What templates were added from elsewhere, and as what: source, commit, digest and signer of each, in `templates.lock`. It is
 * written by a person's yes alone. What a version was is kept when a later one takes its place, so that a version that shows
 * other files later is noticed.
 */
import { readFile } from 'node:fs/promises';
import { HitchError } from '@hitch/contract';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import * as z from 'zod';

const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const pinSchema = z.object({
  name: z.string().min(1),
  /** As it is written down; absolute where it is a folder. */
  source: z.string().min(1),
  version: z.string(),
  /** Null: it came from a folder. */
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .nullable(),
  kind: z.enum(['tag', 'branch', 'commit', 'folder']),
  digest: digestSchema,
  /** The name that its key stands for; null: not signed, or by a key that nobody named. */
  signedBy: z.string().nullable(),
  addedAtMs: z.number().int(),
});
export type Pin = z.infer<typeof pinSchema>;

const seenSchema = z.object({
  /** The repository with the folder in it, without its ref. */
  place: z.string(),
  version: z.string(),
  digest: digestSchema,
  atMs: z.number().int(),
});
export type Seen = z.infer<typeof seenSchema>;

const fileSchema = z.object({
  schema: z.literal('hitch-templates-lock/1'),
  templates: z.array(pinSchema),
  seen: z.array(seenSchema),
});
type Content = z.infer<typeof fileSchema>;

const NONE: Content = { schema: 'hitch-templates-lock/1', templates: [], seen: [] };

export class Pins {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /** @throws HitchError CONFLICT where the file cannot be understood: nothing is taken for absent then. */
  async read(): Promise<Content> {
    let text: string;
    try {
      text = await readFile(this.file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        return NONE;
      }
      throw this.#unreadable(error);
    }
    try {
      return fileSchema.parse(JSON.parse(text));
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  /** Readable by others, as it may be kept with a team's files; it holds no secret. */
  write(content: Omit<Content, 'schema'>): void {
    const { schema } = NONE;
    writeFileAtomic(this.file, `${JSON.stringify({ schema, ...content }, null, 2)}\n`, 0o644);
  }

  #unreadable(cause: unknown): HitchError {
    return new HitchError('CONFLICT', `${this.file} cannot be read; it says what shared templates are.`, {
      next: 'Put it right, or remove it and add the templates again.',
      cause,
    });
  }
}
