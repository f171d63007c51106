/** Why an agent did not switch protocols: its own sentence, where it said one that can be told. */
import type { IncomingMessage } from 'node:http';
import type { HitchError } from '@hitch/contract';
import { NotUnderstood, saidError } from './not-understood.ts';
import { unreachable } from './relay-answer.ts';

const LONGEST_REFUSAL = 10_000;

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const part of answer.setEncoding('utf8')) {
      text += String(part);
      if (text.length > LONGEST_REFUSAL) {
        break;
      }
    }
  } catch {
    // Whatever of it came is all there is.
  }
  return text;
}

/**
 * Another bearer is an absence to whoever asked.
 * @param wordless where it said nothing that is understood
 */
export async function refusalSaid(
  answer: IncomingMessage,
  wordless: HitchError = unreachable(),
): Promise<HitchError> {
  try {
    const said = saidError(JSON.parse(await textOf(answer)), 0);
    return said.code === 'UNAUTHORIZED' ? unreachable(said) : said instanceof NotUnderstood ? wordless : said;
  } catch {
    return wordless;
  }
}
