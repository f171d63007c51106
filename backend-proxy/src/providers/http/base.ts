/** Where a network's API begins. */
import * as z from 'zod';

/** Why a login must not be sent there: it goes in every call, and nobody on the way may read it. Null: it may. */
export function baseProblem(base: string): string | null {
  const url = URL.parse(base);
  const isHere = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  return url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && isHere))
    ? null
    : `${JSON.stringify(base)} is no address for a network: write it like https://…, or http:// for one on this computer.`;
}

/** A setting that takes the place of a network's address, such as that of a simulator; without a slash at the end. */
export const baseSchema = z
  .string()
  .transform(base => base.replace(/\/+$/, ''))
  .superRefine((base, context) => {
    const problem = baseProblem(base);
    if (problem !== null) {
      context.addIssue({ code: 'custom', message: problem.replace(/\.$/, '') });
    }
  });
