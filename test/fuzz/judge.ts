/** What an answer may never be: a defect, or a refusal that is not the contract's envelope with a sentence. */
import { errorEnvelopeSchema } from '@hitch/contract';
import * as z from 'zod';
import type { Case } from './case.ts';

const HEAD = /^HTTP\/1\.1 (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/;
/** The longest sentence and the longest answer that a fault is printed with. */
const SHOWN = 900;

interface Answer {
  readonly status: number;
  readonly headers: string;
  /** null: it did not come to its end. */
  readonly body: string | null;
}

/** Why these bytes are no good answer to the case; null: they are, or there are none. */
export function faultOf({ head }: Case, heard: Buffer): string | null {
  const [method = '', path = ''] = (head[0] ?? '').split(' ');
  for (const answer of answersIn(heard.toString('latin1'), method)) {
    const why = faultIn(answer, method, path);
    if (why !== null) {
      return `${why}: ${heard.toString('utf8').slice(0, SHOWN)}`;
    }
  }
  return null;
}

function* answersIn(text: string, method: string): Generator<Answer> {
  let rest = text;
  for (;;) {
    const found = HEAD.exec(rest);
    if (found === null) {
      return;
    }
    const [whole, status, headers = ''] = found;
    rest = rest.slice(whole.length);
    const code = Number(status);
    if (code === 101) {
      return;
    }
    if (code < 200) {
      continue;
    }
    const length = Number(/^content-length: (\d+)\r$/im.exec(headers)?.[1] ?? 'NaN');
    const hasBody = method !== 'HEAD' && code !== 204 && code !== 304;
    const body = hasBody && Number.isFinite(length) ? rest.slice(0, length) : null;
    yield { status: code, headers, body: body?.length === length ? body : null };
    // Where an answer of unknown length ends, nobody can say from here.
    if (!hasBody || !Number.isFinite(length)) {
      const silent = hasBody && code >= 400;
      // Node's own refusals have no words, and say so in chunks.
      if (silent && (rest === '' || rest.startsWith('0\r\n'))) {
        yield { status: code, headers, body: '' };
      }
      return;
    }
    rest = rest.slice(length);
  }
}

const jupyterErrorSchema = z.object({ message: z.string().min(1), reason: z.string().nullish() });

/** Jupyter's own refusal passes as it is: its clients read it. Codes are Hitch's. */
function isJupyters(body: string): boolean {
  try {
    const value: unknown = JSON.parse(body);
    return jupyterErrorSchema.safeParse(value).success && !('code' in Object(value));
  } catch {
    return false;
  }
}

function faultIn({ status, headers, body }: Answer, method: string, path: string): string | null {
  // A defect of Jupyter's own, behind the relay, is that machine's: its clients get it as Jupyter says it.
  const isOurs = !(path.includes('/jupyter/') && body !== null && isJupyters(body));
  if ((status === 500 && isOurs) || body?.includes('"code":"INTERNAL"') === true) {
    return 'a defect';
  }
  if (status < 400 || body === null || method === 'HEAD') {
    return null;
  }
  // The window is a page for a person, whatever it says.
  if (path.includes('/approvals/') && /^content-type: text\/html/im.test(headers)) {
    return null;
  }
  if (path.includes('/jupyter/api/') && isJupyters(body)) {
    return null;
  }
  try {
    const { message } = errorEnvelopeSchema.parse(JSON.parse(Buffer.from(body, 'latin1').toString('utf8')));
    return /\S.{8,}/s.test(message) ? null : 'a refusal without a sentence';
  } catch {
    return 'a refusal without the envelope';
  }
}
