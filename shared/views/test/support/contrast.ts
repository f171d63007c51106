/** How well a page's texts stand out, by the colours that the browser has computed: also inside shadow roots. */
import type { Frame, Page } from 'playwright-core';

/** What WCAG asks of text of usual size, level AA. */
const LEAST = 4.5;

/** The texts below a selector that are paler than that, each with its ratio and colours. */
export function faintTexts(page: Page | Frame, selector: string): Promise<string[]> {
  return page.evaluate(findFaint, { selector, least: LEAST });
}

/** Runs in the page: nothing outside of it is there. */
function findFaint({ selector, least }: { selector: string; least: number }): string[] {
  type Colour = readonly [red: number, green: number, blue: number, alpha: number];
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const read = new Map<string, Colour>();
  /** As the browser paints it, whatever way it is written. */
  const colourOf = (css: string): Colour => {
    const known = read.get(css);
    if (known !== undefined || pen === null) {
      return known ?? [0, 0, 0, 0];
    }
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = css;
    pen.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0, alpha = 0] = pen.getImageData(0, 0, 1, 1).data;
    const colour: Colour = [red, green, blue, alpha / 255];
    read.set(css, colour);
    return colour;
  };
  const over = (top: Colour, ground: Colour): Colour => {
    const mix = (at: 0 | 1 | 2) => top[at] * top[3] + ground[at] * (1 - top[3]);
    return [mix(0), mix(1), mix(2), 1];
  };
  const brightness = (colour: Colour): number => {
    const [red, green, blue] = [colour[0], colour[1], colour[2]].map(value => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
  };
  /** The element around it as it is drawn: its slot, its parent or the host of its shadow root. */
  const around = (element: Element): Element | null => {
    const parent = element.assignedSlot ?? element.parentNode;
    return parent instanceof ShadowRoot ? parent.host : parent instanceof Element ? parent : null;
  };
  const upwards = (element: Element): Element[] => {
    const all: Element[] = [];
    for (let at: Element | null = element; at !== null; at = around(at)) {
      all.push(at);
    }
    return all;
  };
  const grounds = (elements: readonly Element[]): Colour =>
    elements
      .map(element => colourOf(getComputedStyle(element).backgroundColor))
      .reduceRight<Colour>((ground, colour) => over(colour, ground), [255, 255, 255, 1]);
  const isSeen = (element: Element, text: Text): boolean => {
    const range = document.createRange();
    range.selectNodeContents(text);
    const { width, height } = range.getBoundingClientRect();
    const box = element.getBoundingClientRect();
    return (
      element.checkVisibility({ visibilityProperty: true }) &&
      width > 1 &&
      height > 1 &&
      // What is there for screen readers alone is a pixel wide.
      (box.width > 1 || getComputedStyle(element).display === 'inline')
    );
  };
  const found: string[] = [];
  const look = (text: Text, element: Element): void => {
    const all = upwards(element);
    // What cannot be used now is paler everywhere.
    const isOff = all.some(each => each.matches(':disabled, [disabled], [aria-disabled="true"]'));
    const words = text.data.trim();
    if (words === '' || element.matches('style, script, title, option') || isOff || !isSeen(element, text)) {
      return;
    }
    const style = getComputedStyle(element);
    const ground = grounds(all);
    const opacity = all.reduce((share, each) => share * Number(getComputedStyle(each).opacity), 1);
    const [red, green, blue, alpha] = colourOf(element instanceof SVGElement ? style.fill : style.color);
    const colour = over([red, green, blue, alpha * opacity], ground);
    const [one, other] = [brightness(colour), brightness(ground)];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < least) {
      const written = [colour, ground].map(each => each.slice(0, 3).map(Math.round).join(','));
      found.push(
        `${ratio.toFixed(2)}: “${words.slice(0, 60)}” ${written.join(' on ')} .${element.className}`,
      );
    }
  };
  const walk = (node: Node, element: Element): void => {
    if (node instanceof Text) {
      look(node, element);
      return;
    }
    const within = node instanceof Element ? node : element;
    const shadow = node instanceof Element ? node.shadowRoot : null;
    [...(shadow?.childNodes ?? []), ...node.childNodes].forEach(child => walk(child, within));
  };
  document.querySelectorAll(selector).forEach(root => walk(root, root));
  return [...new Set(found)];
}
