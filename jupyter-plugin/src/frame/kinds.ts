/** The types that a frame can draw, in the order of preference. What is in none of them has no meaning here. */
export type Kind = 'widget' | 'plotly' | 'vega' | 'both' | 'script' | 'html' | 'svg' | 'picture' | 'text';

const KINDS: readonly (readonly [Kind, RegExp])[] = [
  ['widget', /^application\/vnd\.jupyter\.widget-view\+json$/],
  ['plotly', /^application\/vnd\.plotly\.v1\+json$/],
  ['vega', /^application\/vnd\.vega(?:lite)?\.v\d+[.+]json$/],
  // Bokeh and HoloViews: the script fills what the HTML has laid out.
  ['both', /^application\/vnd\.[a-z]+_exec\.v0\+json$/],
  ['script', /^(?:application|text)\/javascript$/],
  ['html', /^text\/html$/],
  ['svg', /^image\/svg\+xml$/],
  ['picture', /^image\/(?:png|jpeg|gif|webp|bmp)$/],
  ['text', /^text\/plain$/],
];

export interface Choice {
  readonly kind: Kind;
  readonly type: string;
}

export function choose(types: readonly string[]): Choice | null {
  for (const [kind, pattern] of KINDS) {
    const type = types.find(name => pattern.test(name));
    if (type !== undefined) {
      return { kind, type };
    }
  }
  return null;
}

export const scriptAmong = (types: readonly string[]): string | undefined =>
  types.find(type => /^(?:application|text)\/javascript$/.test(type));
