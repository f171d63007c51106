/** Text on a node, a tab or a window: made plain, since names and errors come from strangers' machines. */
import { shownLine, shownText } from '@hitch/contract';
import type { Title } from '@lumino/widgets';

/** What stands in it; in its `title`, what is read when one points at it. */
export function setText(node: Node, text: string): void {
  node.textContent = shownText(text);
}

/** Lines of a tooltip. */
export function setTooltip(node: HTMLElement, ...lines: readonly string[]): void {
  node.title = lines.map(shownLine).join('\n');
}

/** A tab's label, and what is read when one points at it. */
export function setTitle<Owner>(title: Title<Owner>, label: string, caption = ''): void {
  title.label = shownLine(label);
  title.caption = shownText(caption);
}
