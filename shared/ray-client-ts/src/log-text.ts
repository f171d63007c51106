/**
 * Reads the text out of `{"logs": "…"}` while it arrives. A training log can be larger than what a process may
 * hold, and the end of a tail needs only what comes after the part already handed out.
 */
import { RayProtocolError } from './errors.ts';

const OPENING = /^\s*\{\s*"logs"\s*:\s*"/;
const LONGEST_OPENING = 256;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Yields the decoded text in pieces; throws when the answer ends before the text does. */
export async function* logText(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  let pending = '';
  let opened = false;
  for await (const chunk of body) {
    pending += utf8.decode(chunk, { stream: true });
    if (!opened) {
      const opening = OPENING.exec(pending);
      if (opening === null) {
        if (pending.length > LONGEST_OPENING) throw new RayProtocolError('The log came in an unknown shape');
        continue;
      }
      opened = true;
      pending = pending.slice(opening[0].length);
    }
    const { text, rest, closed } = unescape(pending);
    pending = rest;
    if (text !== '') yield text;
    if (closed) return;
  }
  throw new RayProtocolError('The log ended in the middle', { retryable: true });
}

/** Decodes as much of a JSON string's inside as is whole; `rest` is an escape (or half a pair) that was cut. */
function unescape(source: string): { text: string; rest: string; closed: boolean } {
  let text = '';
  let at = 0;
  for (;;) {
    const special = nextSpecial(source, at);
    if (special === -1) return keepPair(text + source.slice(at), '');
    text += source.slice(at, special);
    if (source[special] === '"') return { text, rest: '', closed: true };
    const kind = source[special + 1];
    const length = kind === 'u' ? 6 : 2;
    if (special + length > source.length) return keepPair(text, source.slice(special));
    text += kind === 'u' ? fromHex(source.slice(special + 2, special + 6)) : shortEscape(kind);
    at = special + length;
  }
}

/** Holds back a high surrogate at the end, written as an escape again, until its other half is there. */
function keepPair(text: string, rest: string): { text: string; rest: string; closed: boolean } {
  const last = text.charCodeAt(text.length - 1);
  if (!(last >= 0xd800 && last <= 0xdbff)) return { text, rest, closed: false };
  return { text: text.slice(0, -1), rest: `\\u${last.toString(16)}${rest}`, closed: false };
}

function nextSpecial(source: string, from: number): number {
  for (let i = from; i < source.length; i += 1) {
    const char = source[i];
    if (char === '"' || char === '\\') return i;
  }
  return -1;
}

function fromHex(digits: string): string {
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
    throw new RayProtocolError('The log holds an escape that JSON does not know');
  }
  return String.fromCharCode(parseInt(digits, 16));
}

function shortEscape(kind: string | undefined): string {
  const char = kind === undefined ? undefined : SHORT_ESCAPES[kind];
  if (char === undefined) throw new RayProtocolError('The log holds an escape that JSON does not know');
  return char;
}
