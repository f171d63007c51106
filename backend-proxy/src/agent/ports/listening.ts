/** What listens for TCP on this machine, as Linux shows it in `/proc/net/tcp` and `/proc/net/tcp6`. */

export interface ListeningSocket {
  readonly port: number;
  /** Where it listens, as text: `127.0.0.1`, `0.0.0.0`, `::`, `::ffff:127.0.0.1`. */
  readonly address: string;
  /** The kernel's number of the socket, by which the process that holds it is found. */
  readonly inode: string;
}

const LISTEN = '0A';

/** @param text of either file: `sl local_address rem_address st … inode`, with a line of headings. */
export function listeningSockets(text: string): ListeningSocket[] {
  return text
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .flatMap(fields => {
      const [, local = '', , state] = fields;
      const [address = '', port = ''] = local.split(':');
      const inode = fields[9];
      return state !== LISTEN || inode === undefined
        ? []
        : [{ port: Number.parseInt(port, 16), address: addressOf(address), inode }];
    });
}

/** Words of 32 bits, each in this processor's order: all that Hitch runs on is little-endian. */
function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap(word => [...Buffer.from(word, 'hex')].toReversed());
  if (bytes.length === 4) {
    return bytes.join('.');
  }
  const isMapped = bytes.slice(0, 10).every(byte => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (isMapped) {
    return `::ffff:${bytes.slice(12).join('.')}`;
  }
  const words = Array.from({ length: 8 }, (_, at) => (bytes[at * 2] ?? 0) * 256 + (bytes[at * 2 + 1] ?? 0));
  const text = words.map(word => word.toString(16)).join(':');
  return words.every(word => word === 0) ? '::' : text === '0:0:0:0:0:0:0:1' ? '::1' : text;
}

/** Where a program on this machine reaches what listens there; the first that answers. */
export function dialledAt(address: string): string[] {
  const mapped = /^::ffff:([\d.]+)$/.exec(address)?.[1];
  switch (mapped ?? address) {
    case '0.0.0.0':
      return ['127.0.0.1'];
    case '::':
      // It takes both kinds as a rule, and a container may have no IPv6 of its own.
      return ['127.0.0.1', '::1'];
    default:
      return [mapped ?? address];
  }
}
