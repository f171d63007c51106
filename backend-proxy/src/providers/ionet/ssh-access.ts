/** Where io.net says that ssh leads: a text for people, written in more than one way. */
import type { SshAddress } from '../provider.ts';

/** Its images are Ubuntu's; where no name is said, that image's own. */
const UNSAID_USER = 'ubuntu';
const SSH_PORT = 22;
/** Options of `ssh` that are followed by a value. */
const WITH_VALUE = 'BbcDEeFIiJLlmOopQRSWw';
const HOST = /^[A-Za-z0-9_][A-Za-z0-9._:-]*$/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** Such as `ssh -p 22022 ubuntu@192.0.2.7`, `ubuntu@192.0.2.7` and `ssh://ubuntu@[2001:db8::7]:22022`; null: it is not understood. */
export function readSshAccess(text: string): SshAddress | null {
  const said = wordsOf(text);
  if (said === null) {
    return null;
  }
  const { destination, options } = said;
  // Past another machine it would lead elsewhere than it seems.
  if (options.has('J') || options.has('W')) {
    return null;
  }
  const place = readDestination(destination);
  const port = Number(options.get('p') ?? place?.port ?? SSH_PORT);
  const user = options.get('l') ?? place?.user ?? UNSAID_USER;
  const isPlain = place !== null && USER.test(user) && Number.isInteger(port) && port >= 1 && port <= 65_535;
  return isPlain ? { kind: 'rented', host: place.host, port, user, hostKeys: null } : null;
}

interface Words {
  readonly destination: string;
  readonly options: ReadonlyMap<string, string>;
}

function wordsOf(text: string): Words | null {
  const words = text.trim().split(/\s+/);
  if (words[0] === 'ssh') {
    words.shift();
  }
  const options = new Map<string, string>();
  const others: string[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [, letter = '', value = ''] = /^-([A-Za-z0-9])(.*)$/s.exec(word) ?? [];
    if (letter === '') {
      others.push(word);
    } else if (WITH_VALUE.includes(letter)) {
      note(options, letter, value === '' ? (words.shift() ?? '') : value);
    }
  }
  const [destination] = others;
  return destination === undefined || others.length > 1 ? null : { destination, options };
}

const LONG: Readonly<Record<string, string>> = { port: 'p', user: 'l', proxyjump: 'J', proxycommand: 'W' };

function note(options: Map<string, string>, letter: string, value: string): void {
  if (letter !== 'o') {
    options.set(letter, value);
    return;
  }
  const [name = '', said = ''] = value.split('=');
  const short = LONG[name.toLowerCase()];
  if (short !== undefined) {
    options.set(short, said);
  }
}

interface Place {
  readonly user: string | null;
  readonly host: string;
  readonly port: string | null;
}

function readDestination(destination: string): Place | null {
  const bare = destination.replace(/^ssh:\/\//, '').replace(/\/$/, '');
  const at = bare.lastIndexOf('@');
  const user = at < 0 ? null : bare.slice(0, at);
  const rest = bare.slice(at + 1);
  const bracketed = /^\[([0-9A-Fa-f:.]+)\](?::([0-9]+))?$/.exec(rest);
  const named = /^([^:]+):([0-9]+)$/.exec(rest);
  const [, host = rest, port = null] = bracketed ?? named ?? [];
  return HOST.test(host) || /^[0-9A-Fa-f:.]+$/.test(host) ? { user, host, port } : null;
}
