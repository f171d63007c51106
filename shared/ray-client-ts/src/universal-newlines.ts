/**
 * Decodes log bytes the way Ray's own reader does, line ends included, and puts U+FFFD where it would give up:
 * at bytes that are not UTF-8.
 */
export async function* universalNewlines(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  let held = '';
  for await (const chunk of body) {
    const text = held + utf8.decode(chunk, { stream: true });
    held = text.endsWith('\r') ? '\r' : '';
    const whole = text.slice(0, text.length - held.length).replace(/\r\n?/g, '\n');
    if (whole !== '') yield whole;
  }
  const last = (held + utf8.decode()).replace(/\r\n?/g, '\n');
  if (last !== '') yield last;
}
