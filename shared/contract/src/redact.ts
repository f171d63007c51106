/** Takes out of a text what must not leave this computer: bearers, keys, tokens, names and the person's own folder. */

/** Each looks at a bounded piece from each place it begins at: a stranger's text may be long, and made to be slow. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, '[private key]'],
  [/\b(Bearer|Basic|token)\s+[A-Za-z0-9._~+/=-]{8,}/gi, '$1 [redacted]'],
  // In JSON, in environment listings and in URLs.
  [
    /((?:"|\b)[\w-]{0,60}(?:token|secret|passw(?:or)?d|api[_-]?key|authorization|challengeKey|cookie)[\w-]{0,60}"?\s{0,9}[:=]\s{0,9})("(?:[^"\\]|\\.)*"|[^\s,;&}]+)/gi,
    '$1"[redacted]"',
  ],
  [/\b(?:sk|hf|rpa|ghp|gho|github_pat|xox[abp]|vast|glpat)[-_][A-Za-z0-9_-]{12,}/g, '[key]'],
  [/(\b\w{1,30}:\/\/)[^/\s:@]+:[^/\s@]+@/g, '$1[redacted]@'],
  [/\beyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+)?/g, '[token]'],
];

export interface Person {
  readonly home: string;
  readonly name: string;
  /** What the computer is called. */
  readonly host?: string;
  /** What the person has called things; each is told apart by its number. */
  readonly names?: readonly string[];
}

const word = (text: string): RegExp =>
  new RegExp(`(?<![\\w-])${text.replace(/[^\w]/g, '\\$&')}(?![\\w-])`, 'g');

/** A text with nothing of the person in it. Bounded in time, whatever the text is. */
export function redact(text: string, { home, name, host = '', names = [] }: Person): string {
  let clean = text;
  for (const [pattern, replacement] of RULES) {
    clean = clean.replace(pattern, replacement);
  }
  // "/" or "/root" as a home, and names such as "root", stand for nobody.
  if (home.length > 5) {
    clean = clean.replaceAll(home, '~');
  }
  for (const [index, own] of names.entries()) {
    clean = clean.replace(word(own), `[name ${(index + 1).toString()}]`);
  }
  if (name.length > 2 && name !== 'root') {
    clean = clean.replace(word(name), '[user]');
  }
  return host.length > 2 && host !== 'localhost' ? clean.replace(word(host), '[computer]') : clean;
}
