/** Strangers' text for the places that read more into it than characters. */
import { shownLine, shownText } from './text.ts';

/**
 * VS Code makes a link that runs a command of `[text](command:…)` in messages, prompts and views, and an icon of
 * `$(name)` in pickers, the status bar and tabs. Which place does which changes with its versions, so neither is left
 * anywhere.
 */
const plain = (text: string): string =>
  text.replaceAll('](', ']\\u0028').replace(/\$\((?=[a-z0-9-]+(?:~[a-z]+)?\))/gi, '$\\u0028');

/** One line in VS Code: a row, a title, an item of a picker. */
export const editorLine = (text: string): string => plain(shownLine(text));

/** Several lines in VS Code: a message, a dialog, a tooltip of plain text. */
export const editorText = (text: string): string => plain(shownText(text));

/**
 * One line inside markdown. CommonMark takes a backslash before every ASCII sign for that sign, so no link, address, image,
 * heading or HTML is left. Spaces that would make code of it go.
 */
export const markdownLine = (text: string): string =>
  shownLine(text.replace(/[\r\n]+/g, ' ').trim()).replace(/[!-/:-@[-`{-~]/g, '\\$&');

/** A word of a command line for a person to copy: the same word in every POSIX shell. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
