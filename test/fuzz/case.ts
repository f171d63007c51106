/** One thing that is sent to a daemon, byte by byte: made from a seed, printed when it fails, and sent again as it was. */
import type { Piece } from '../support/liar/lie.ts';

/** What each daemon calls differently: `$token` and its like stand for these in a case. */
export type Names = Readonly<Record<'token' | 'port' | 'cluster' | 'other' | 'kernel' | 'quote', string>>;

export interface Case {
  readonly name: string;
  /** The request line and the headers, without the end of the lines. */
  readonly head: readonly string[];
  readonly body: readonly Piece[];
  /** `right`: a true content-length · `chunked` · `none`: the head says what it says. */
  readonly length: 'right' | 'chunked' | 'none';
  /** Sent once the daemon has switched protocols, or at once where it was not asked to. */
  readonly after: readonly Piece[];
}

const BYTES_OF_ENDLESS = 24 * 1024 * 1024;

export function* bytesOf(piece: Piece, names: Names): Generator<Buffer> {
  if (typeof piece === 'string') {
    yield Buffer.from(named(piece, names));
  } else if ('base64' in piece) {
    yield Buffer.from(piece.base64, 'base64');
  } else {
    const bytes = Buffer.from(piece.text);
    // A client that has no end sends as much as shows whether anybody holds it up.
    const times = piece.times < 0 ? Math.ceil(BYTES_OF_ENDLESS / bytes.length) : piece.times;
    const atOnce = Math.max(1, Math.min(times, Math.floor(65_536 / bytes.length)));
    const many = Buffer.concat(Array<Buffer>(atOnce).fill(bytes));
    for (let said = 0; said < times; said += atOnce) {
      yield times - said < atOnce ? many.subarray(0, (times - said) * bytes.length) : many;
    }
  }
}

function named(text: string, names: Names): string {
  return text.replace(/\$(token|port|cluster|other|kernel|quote)\b/g, (whole, name: string) => {
    const found = Object.entries(names).find(([known]) => known === name);
    return found?.[1] ?? whole;
  });
}

function lengthOf(piece: Piece, names: Names): number {
  if (typeof piece !== 'string' && 'text' in piece) {
    return piece.times < 0 ? Infinity : Buffer.byteLength(piece.text) * piece.times;
  }
  return [...bytesOf(piece, names)].reduce((sum, { length }) => sum + length, 0);
}

/** So much is read before anything is answered; of more the daemon may break the connection off. */
const READ_BYTES = 64 * 1024;

/** Whether nothing of this request is missing, so that it has to be answered. */
export const isWhole = ({ body, length, after }: Case, names: Names): boolean =>
  length !== 'none' &&
  after.length === 0 &&
  body.reduce((sum, piece) => sum + lengthOf(piece, names), 0) <= READ_BYTES;

/** The request itself. What comes after a switch of protocols is not in it. */
export function* requestBytes({ head, body, length }: Case, names: Names): Generator<Buffer> {
  const total = body.reduce((sum, piece) => sum + lengthOf(piece, names), 0);
  const chunked = length === 'chunked' || (length === 'right' && !Number.isFinite(total));
  const more = chunked
    ? ['transfer-encoding: chunked']
    : length === 'right' && body.length > 0
      ? [`content-length: ${total.toString()}`]
      : [];
  yield Buffer.from(named([...head, ...more, '', ''].join('\r\n'), names), 'latin1');
  for (const piece of body) {
    for (const bytes of bytesOf(piece, names)) {
      if (chunked && bytes.length > 0) {
        yield Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
      } else {
        yield bytes;
      }
    }
  }
  if (chunked) {
    yield Buffer.from('0\r\n\r\n');
  }
}
