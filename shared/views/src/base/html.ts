/**
 * lit's templates, with every text in them made plain: names, titles and errors come from strangers' machines. lit itself
 * sees to it that no text becomes markup; what hides in one, or turns it around, is written out here. Properties
 * (`.value=${…}`) pass as they are, since what a person edits is the real thing.
 */
import { shownText } from '@hitch/contract/src/shown/text.ts';
import { html as litHtml, svg as litSvg } from 'lit/html.js';

type Tag = typeof litHtml | typeof litSvg;

/** Which values of a template are properties: known once for each place in the source. */
const properties = new WeakMap<TemplateStringsArray, readonly boolean[]>();

function propertiesOf(strings: TemplateStringsArray): readonly boolean[] {
  const known = properties.get(strings) ?? strings.map(before => /\s\.[\w-]+=["']?$/.test(before));
  properties.set(strings, known);
  return known;
}

const shown = (value: unknown): unknown =>
  typeof value === 'string' ? shownText(value) : Array.isArray(value) ? value.map(shown) : value;

const plain =
  <T extends Tag>(tag: T) =>
  (strings: TemplateStringsArray, ...values: readonly unknown[]): ReturnType<T> => {
    const isProperty = propertiesOf(strings);
    // Both tags answer what their own kind of template is.
    return tag(
      strings,
      ...values.map((value, at) => (isProperty[at] === true ? value : shown(value))),
    ) as ReturnType<T>;
  };

export const html = plain(litHtml);
export const svg = plain(litSvg);
