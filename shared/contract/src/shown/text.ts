/**
 * Strangers' text as it may be shown. Names, errors and titles come from machines and networks that nobody vouches for,
 * so what moves a cursor, hides, turns text around or looks like nothing is written out, such as `\u001b`. Nothing is
 * left out: two names that differ still look different.
 *
 * Each place has its function: {@link shownName}, {@link shownLine} and {@link shownText} here, an editor's and a
 * browser's in `places.ts`, a terminal's output in `output.ts` and `terminal-guard.ts`.
 */

/** Longer names are cut in the middle: a screen full of one name hides everything else on it. */
const LONGEST_NAME = 300;
const LONGEST_LINE = 2_000;
const LONGEST_TEXT = 20_000;
const END_SHOWN = 40;

/**
 * `\p{C}`: controls (C0, DEL, C1), format characters (bidi, zero width, tags), lone surrogates, private use and what is
 * not assigned. Default ignorable: what fonts draw as nothing although it counts as a letter. A fifth accent on one letter
 * and those after it would be drawn over the lines above.
 */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?<=\p{M}{4})\p{M}/gu;
/** Spaces that look like the usual one, or like none. */
const ODD_SPACE = /[^\P{Zs} ]/gu;
/** What our own escapes look like, in a name that holds such a text itself. */
const LIKE_AN_ESCAPE = /\\(?=u[0-9a-f]{4}|u\{[0-9a-f]{5,6}\})/g;

/** `\u001b`, or `\u{e0001}` where four digits do not do. */
export function escapeCharacter(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}

const written = (text: string, hidden: RegExp): string => text.replace(hidden, escapeCharacter);

/** Tells two texts apart whose shown beginnings and ends are the same. No protection against one who makes them so. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}

/** The whole, or its beginning and end with how much is not shown between them. */
function fitted(text: string, longest: number): string {
  if (text.length <= longest) {
    return text;
  }
  const start = text.slice(0, longest - END_SHOWN).replace(/[\ud800-\udbff]$/, '');
  const end = text.slice(-END_SHOWN).replace(/^[\udc00-\udfff]/, '');
  const left = (text.length - start.length - end.length).toLocaleString('en');
  return `${start}…[${left} more characters, ${fingerprint(text)}]…${end}`;
}

/** The name of a file, a machine or anything else, inside a sentence or alone. */
export const shownName = (name: string): string =>
  written(written(fitted(name, LONGEST_NAME).replace(LIKE_AN_ESCAPE, '\\u005c'), HIDDEN), ODD_SPACE);

/** A text that stands on one line: a row, a title, a table's cell. Line breaks are written out. */
export const shownLine = (text: string): string => written(fitted(text, LONGEST_LINE), HIDDEN);

const HIDDEN_IN_LINES = new RegExp(`(?![\\n\\t])(?:${HIDDEN.source})`, 'gu');

/** Sentences that may have several lines: a message, a tooltip, a dialog. Names in them went through {@link shownName}. */
export const shownText = (text: string): string =>
  written(fitted(text, LONGEST_TEXT).replaceAll('\r\n', '\n'), HIDDEN_IN_LINES);

/** JSON whose strings can be written to a terminal or a log: the same values, with what is hidden as `\uXXXX`. */
export const shownJson = (
  value: unknown,
  indent?: number,
  replacer?: (key: string, value: unknown) => unknown,
): string =>
  JSON.stringify(value, replacer, indent).replace(HIDDEN_IN_LINES, character =>
    Array.from({ length: character.length }, (_, at) =>
      escapeCharacter(String.fromCharCode(character.charCodeAt(at))),
    ).join(''),
  );
