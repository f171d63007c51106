/** An answer that is no answer: a machine that is broken or lies. It concerns that machine and nothing else. */
import { cutText, errorEnvelopeSchema, errorFromEnvelope, HitchError, MOST_SAID } from '@hitch/contract';
import * as z from 'zod';

export class NotUnderstood extends HitchError {
  /** @param what the rest of the sentence: what was wrong with the answer. */
  constructor(what: string, cause?: unknown) {
    super('PROVIDER_ERROR', `This machine’s agent answered something Hitch does not understand: ${what}.`, {
      next: 'It may be broken or hostile; stop its cluster if this stays.',
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** What an agent says of a failure, in bounds. */
const saidErrorSchema = errorEnvelopeSchema.extend({
  message: z.string().overwrite(text => cutText(text, MOST_SAID.sentence)),
  next: z
    .string()
    .overwrite(text => cutText(text, MOST_SAID.sentence))
    .optional(),
  field: z
    .string()
    .overwrite(text => cutText(text, MOST_SAID.name))
    .optional(),
});

/** The agent's own error. Anything else in its place is not understood. */
export function saidError(body: unknown, status: number, cause?: unknown): HitchError {
  const said = saidErrorSchema.safeParse(body);
  return said.success
    ? errorFromEnvelope(said.data, cause)
    : new NotUnderstood(`a failure (HTTP ${status.toString()}) without the error that belongs to it`, cause);
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema found, for the sentence of {@link NotUnderstood}. */
export function issueWords(issues: readonly Issue[]): string {
  const [issue] = issues;
  const at = (issue?.path ?? []).map(part => String(typeof part === 'object' ? part.key : part)).join('.');
  const message = cutText((issue?.message ?? 'it is not valid').replace(/^Invalid input: /, ''), 300);
  return at === '' ? message : `“${cutText(at, 100)}”: ${message}`;
}

/** @throws NotUnderstood unless `holds`. */
export function mustBe(holds: boolean, what: string): asserts holds {
  if (!holds) {
    throw new NotUnderstood(what);
  }
}
