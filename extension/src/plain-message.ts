/** Text as a message of the editor may show it. */
import { shownName } from '@hitch/contract/src/copy-words.ts';

/**
 * Names and errors come from strangers' machines: what moves a cursor, hides or turns text around is written out, and
 * nothing is a link, although VS Code makes one of `[text](command:…)` in a message.
 */
export const plainMessage = (text: string): string =>
  text.split('\n').map(shownName).join('\n').replaceAll('](', '] (');
