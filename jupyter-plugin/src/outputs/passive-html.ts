/**
 * Which HTML may stand in JupyterLab's own page: text and tables, as pandas draws them. JupyterLab runs what it trusts
 * without a look, so this accepts a small grammar whole and leaves everything else to the frame. It repairs nothing.
 */

/** No attribute takes a class of JupyterLab (it could draw a dialog), an id, an address, or a place on the screen. */
const COLOUR = String.raw`(?:#[0-9a-f]{3,8}|[a-z]{3,20}|rgba?\([0-9., %]{3,40}\))`;
const STYLES = [
  'text-align: ?(?:left|right|center)',
  'vertical-align: ?(?:top|middle|bottom)',
  'font-weight: ?(?:bold|normal)',
  'font-style: ?(?:italic|normal)',
  `(?:background-)?color: ?${COLOUR}`,
].join('|');
const ATTRIBUTES = [
  'border="[01]"',
  'class="dataframe"',
  'align="(?:left|right|center)"',
  'valign="(?:top|middle|bottom)"',
  'halign="(?:left|right|center)"',
  '(?:colspan|rowspan)="[1-9][0-9]{0,3}"',
  `style="(?:(?:${STYLES});? ?)+"`,
].join('|');
const TAGS =
  'table|thead|tbody|tfoot|tr|th|td|caption|p|div|span|b|i|u|s|em|strong|small|sub|sup|code|pre|br|hr|' +
  'h[1-6]|ul|ol|li|dl|dt|dd|blockquote|del|kbd';

const TAG = new RegExp(String.raw`</?(?:${TAGS})(?:\s+(?:${ATTRIBUTES}))*\s*/?>`, 'iy');
const TEXT = /[^<]+/y;
/** What pandas writes before each table. JupyterLab's own style sheet does the same. */
const PANDAS_STYLE =
  /<style scoped>\s*(?:\.dataframe [a-z]+ [a-z :-]+\{\s*(?:[a-z-]+: [a-z]+;\s*)+\}\s*)+<\/style>/g;

/** @returns the HTML that JupyterLab's page may show as it is; null where that belongs into the frame. */
export function passiveHtml(source: string): string | null {
  const html = source.replace(PANDAS_STYLE, '');
  for (let at = 0; at < html.length;) {
    const token = html[at] === '<' ? TAG : TEXT;
    token.lastIndex = at;
    if (!token.test(html)) {
      return null;
    }
    at = token.lastIndex;
  }
  return html;
}
