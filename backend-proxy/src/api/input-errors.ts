/** What zod says about a request, in words for the person who sent it: which field, what is wrong, what it should be. */
import { HitchError } from '@hitch/contract';
import type { ORPCError } from '@orpc/server';
import * as z from 'zod';

const issueSchema = z.looseObject({
  code: z.string().optional(),
  message: z.string(),
  path: z.array(z.unknown()).optional(),
  expected: z.string().optional(),
  origin: z.string().optional(),
  minimum: z.union([z.number(), z.bigint()]).optional(),
  maximum: z.union([z.number(), z.bigint()]).optional(),
  values: z.array(z.unknown()).optional(),
  errors: z.array(z.array(z.unknown())).optional(),
});
type Issue = z.infer<typeof issueSchema>;

const issuesSchema = z.object({ issues: z.array(issueSchema).min(1) });

const TYPES: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

const COUNTED: Record<string, readonly [one: string, many: string]> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
};

function bound(issue: Issue, word: 'at least' | 'at most', limit: number | bigint | undefined): string {
  const counted = COUNTED[issue.origin ?? ''];
  return counted === undefined
    ? `must be ${word} ${String(limit)}`
    : `must have ${word} ${String(limit)} ${counted[String(limit) === '1' ? 0 : 1]}`;
}

/** The rest of a sentence that starts with the field, or a sentence of its own (then it starts with a capital). */
function problem(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? 'is missing'
        : `must be ${TYPES[issue.expected ?? ''] ?? issue.expected ?? 'something else'}`;
    case 'too_small':
      return bound(issue, 'at least', issue.minimum);
    case 'too_big':
      return bound(issue, 'at most', issue.maximum);
    case 'invalid_value':
      return `must be ${issue.values?.length === 1 ? '' : 'one of '}${(issue.values ?? []).map(String).join(', ')}`;
    case 'invalid_union': {
      const first = issueSchema.safeParse(issue.errors?.[0]?.[0]);
      return first.success ? problem(first.data) : 'is not valid';
    }
    case undefined:
    default:
      return issue.message;
  }
}

/** A client's mistake that oRPC found (a schema's or its own) as the error with field and sentence. */
export function inputError(error: ORPCError<string, unknown>): HitchError {
  const parsed = issuesSchema.safeParse(error.data);
  const issue = parsed.success ? parsed.data.issues[0] : undefined;
  if (issue === undefined) {
    return new HitchError('BAD_INPUT', 'The request cannot be understood.', { cause: error });
  }
  const field = (issue.path ?? []).map(String).join('.');
  const text = problem(issue).replace(/\.$/, '');
  const subject = field === '' ? 'The request' : `“${field}”`;
  return new HitchError('BAD_INPUT', /^[a-z]/.test(text) ? `${subject} ${text}.` : `${subject}: ${text}.`, {
    ...(field === '' ? {} : { field }),
    cause: error,
  });
}
