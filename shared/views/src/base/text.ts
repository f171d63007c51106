/** Text that no template draws: made plain, since offers and names come from strangers. */
import { shownLine } from '@hitch/contract/src/shown/text.ts';

/** What stands there. */
export function setData(node: Text, text: string): void {
  node.data = shownLine(text);
}

/** What a screen reader says instead. */
export function setSpoken(element: Element, text: string): void {
  element.setAttribute('aria-label', shownLine(text));
}

/** What is read when one points at it. */
export function setTip(element: HTMLElement, text: string): void {
  element.title = shownLine(text);
}
