/** The one Include in a user's ssh configuration, as text. Nothing else of the file is read for meaning or changed. */
import { forSsh } from './entries.ts';

/** `ssh` takes the path for a pattern. A set of one sign is that sign; a backslash editors would turn into a slash. */
export const includeLine = (configFile: string): string =>
  `Include "${forSsh(configFile).replace(/[*?[]/g, sign => `[${sign}]`)}"`;

/** The rest of a file belongs to its first Host or Match; an Include there would count for that host only. */
const BLOCK = /^\s*(?:host|match)[\s=]/i;

const lineBreakOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n');

function isOurs(line: string, include: string): boolean {
  const plain = (text: string): string =>
    text
      .trim()
      .replace(/^include[\s=]+/i, '')
      .replaceAll('"', '');
  return /^\s*include[\s=]/i.test(line) && plain(line) === plain(include);
}

export function hasInclude(text: string, include: string): boolean {
  const lines = text.split(/\r?\n/);
  const end = lines.findIndex(line => BLOCK.test(line));
  return lines.slice(0, end < 0 ? undefined : end).some(line => isOurs(line, include));
}

/** In front of everything: for each setting `ssh` takes the first value it meets. */
export const withInclude = (text: string, include: string): string =>
  hasInclude(text, include) ? text : `${include}${lineBreakOf(text)}${text}`;

/** Every other byte stays. */
export function withoutInclude(text: string, include: string): string {
  return text
    .split(/(?<=\n)/)
    .filter(line => !isOurs(line, include))
    .join('');
}
