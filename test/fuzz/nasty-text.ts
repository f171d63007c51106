/** Texts that somebody may have forgotten. */
import { pick, type Random } from '@hitch/platform/src/random.ts';

const TEXTS = [
  '',
  '.',
  '..',
  '../../etc/passwd',
  '%',
  '%00',
  '%2e%2e%2f',
  '\u0000',
  '\u001b[2J\u202e',
  '-1',
  '0',
  'NaN',
  '1e999',
  '9007199254740993',
  '99999999999999999999999',
  '[]',
  '{}',
  'null',
  '__proto__',
  'constructor',
  'toString',
  'clu_01ARZ3NDEKTSV4RRFFQ69G5FAV',
  'clu_1',
  'quo_01ARZ3NDEKTSV4RRFFQ69G5FAV',
  '\ud800',
  'ü',
  '𝕏',
  "' or 1=1 --",
  '$(id)',
  'a'.repeat(5_000),
  ' ',
  '\\',
  '/',
  '/dev/zero',
];

/** @param without signs that the text may not have. */
export function nastyText(random: Random, without = ''): string {
  const text =
    random.next() < 0.8
      ? pick(random, TEXTS)
      : Buffer.from(random.bytes(1 + Math.floor(random.next() * 40))).toString('latin1');
  return Array.from(text)
    .filter(sign => !without.includes(sign) && (without === '' || sign >= ' '))
    .join('');
}
