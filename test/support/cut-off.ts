/** What of a page a person cannot get at: controls that no scrolling brings into view, or that lie under something else. */
import type { Page } from 'playwright-core';

/**
 * The controls below a selector, also in shadow roots, that cannot be used where the window is small, one sentence each:
 * cut off where nothing scrolls, or covered; and the parts that scroll sideways, which only tables and logs may.
 */
export function cutOff(page: Page, selector: string): Promise<string[]> {
  return page.evaluate(findCutOff, selector);
}

/** Runs in the page: nothing outside of it is there. */
function findCutOff(selector: string): string[] {
  const CONTROLS =
    'button, a[href], input, select, textarea, summary, vscode-button, vscode-textfield, [role=treeitem], [tabindex="0"]';
  /** Where rows and lines as wide as what they show are scrolled sideways. */
  const SIDEWAYS = '.scroller, pre, .log, svg, .plot, .lanes';
  const SPARE_PX = 1;

  const parentOf = (element: Element): Element | null => {
    const root = element.getRootNode();
    return element.assignedSlot ?? element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
  };
  const upwards = (element: Element): Element[] => {
    const all: Element[] = [];
    for (let at: Element | null = element; at !== null; at = parentOf(at)) {
      all.push(at);
    }
    return all;
  };
  const nameOf = (element: Element): string => {
    const words = (element.getAttribute('aria-label') ?? element.textContent ?? '')
      .trim()
      .replace(/\s+/g, ' ');
    const { id, localName } = element;
    return `${localName}${id === '' ? '' : `#${id}`} “${words.slice(0, 50)}”`;
  };
  const isSeen = (element: Element): boolean => {
    const { width, height } = element.getBoundingClientRect();
    return (
      width > 1 && height > 1 && element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
    );
  };
  /** Hidden overflow can be scrolled by a script, and by nobody else. */
  const isStill = (element: Element): boolean => {
    const { overflowX, overflowY } = getComputedStyle(element);
    return [overflowX, overflowY].every(each => each === 'hidden' || each === 'clip' || each === 'visible');
  };
  const found: string[] = [];

  const lookAtControl = (control: Element): void => {
    // What the page's own two elements hide is hidden by the window, which is no smaller than they are.
    const above = upwards(control)
      .slice(1)
      .filter(each => !each.matches('html, body'));
    control.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    above.filter(isStill).forEach(each => each.scrollTo({ left: 0, top: 0, behavior: 'instant' }));
    const box = control.getBoundingClientRect();
    let seen = { left: 0, top: 0, right: window.innerWidth, bottom: window.innerHeight };
    for (const each of above) {
      const style = getComputedStyle(each);
      if (style.overflowX !== 'visible' || style.overflowY !== 'visible') {
        const { left, top, right, bottom } = each.getBoundingClientRect();
        seen = {
          left: Math.max(seen.left, left),
          top: Math.max(seen.top, top),
          right: Math.min(seen.right, right),
          bottom: Math.min(seen.bottom, bottom),
        };
      }
    }
    const isTaller = box.height > seen.bottom - seen.top && seen.bottom > seen.top;
    const isWhole =
      box.left >= seen.left - SPARE_PX &&
      box.right <= seen.right + SPARE_PX &&
      (isTaller || (box.top >= seen.top - SPARE_PX && box.bottom <= seen.bottom + SPARE_PX));
    if (!isWhole) {
      const at = [box.left, box.top, box.right, box.bottom].map(Math.round).join(',');
      const within = [seen.left, seen.top, seen.right, seen.bottom].map(Math.round).join(',');
      found.push(`cut off: ${nameOf(control)} at ${at}, of which ${within} is seen`);
      return;
    }
    const x = (box.left + box.right) / 2;
    const y = (Math.max(box.top, seen.top) + Math.min(box.bottom, seen.bottom)) / 2;
    let top = document.elementFromPoint(x, y);
    while (top?.shadowRoot?.elementFromPoint(x, y) !== undefined && top.shadowRoot !== null) {
      const inner: Element | null = top.shadowRoot.elementFromPoint(x, y);
      if (inner === null || inner === top) {
        break;
      }
      top = inner;
    }
    if (top !== null && !upwards(top).includes(control) && !above.includes(top)) {
      found.push(`covered: ${nameOf(control)} by ${nameOf(top)}`);
    }
  };

  const walk = (element: Element): void => {
    if (element.matches(CONTROLS) && isSeen(element)) {
      lookAtControl(element);
    }
    const { overflowX } = getComputedStyle(element);
    const wider = element.scrollWidth - element.clientWidth;
    if (wider > SPARE_PX && isSeen(element) && !element.matches(SIDEWAYS)) {
      const { textOverflow } = getComputedStyle(element);
      if (overflowX === 'auto' || overflowX === 'scroll') {
        found.push(`scrolls sideways: ${nameOf(element)}.${element.className}, by ${String(wider)} px`);
      } else if (overflowX !== 'visible' && textOverflow !== 'ellipsis') {
        found.push(`cut: ${nameOf(element)}.${element.className}, by ${String(wider)} px`);
      }
    }
    [...(element.shadowRoot?.children ?? []), ...element.children].forEach(walk);
  };
  document.querySelectorAll(selector).forEach(walk);
  return [...new Set(found)];
}
