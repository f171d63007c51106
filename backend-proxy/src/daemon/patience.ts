/** How long machines are waited for, as the environment sets it. */
import { cutText, HitchError } from '@hitch/contract';
import * as z from 'zod';
import { PATIENCE, type Patience } from '../access/patience.ts';

const milliseconds = z.coerce.number().int().min(100).max(3_600_000);

const VARIABLES = {
  reconnectLongestMs: 'HITCH_MACHINE_RECONNECT_MS',
  answerMs: 'HITCH_MACHINE_ANSWER_MS',
  handshakeEveryMs: 'HITCH_MACHINE_HANDSHAKE_MS',
} as const satisfies Record<keyof Patience, string>;

/** @throws HitchError BAD_INPUT naming the variable whose value makes no sense. */
export function patienceFrom(environment: NodeJS.ProcessEnv): Patience {
  const read = (key: keyof Patience): number => {
    const name = VARIABLES[key];
    const value = environment[name];
    if (value === undefined || value === '') {
      return PATIENCE[key];
    }
    const parsed = milliseconds.safeParse(value);
    if (!parsed.success) {
      throw new HitchError(
        'BAD_INPUT',
        `The variable ${name} is "${cutText(value, 60)}", which is no time in milliseconds from 100 to 3,600,000.`,
        { field: name, next: `Unset ${name} or correct it, and start the daemon again.` },
      );
    }
    return parsed.data;
  };
  return {
    reconnectLongestMs: read('reconnectLongestMs'),
    answerMs: read('answerMs'),
    handshakeEveryMs: read('handshakeEveryMs'),
  };
}
