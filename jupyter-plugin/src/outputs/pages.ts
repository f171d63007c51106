/** The two pages of a frame, as text. Neither has anything of an output in it. */
import { POLICY } from './policy.ts';

/** A program inside of HTML must not end its own element. */
const embedded = (code: string): string => code.replaceAll('</script', String.raw`<\/script`);

const page = (style: string, code: string): string =>
  `<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">` +
  `<meta name="referrer" content="no-referrer"><style>${style}</style></head><body><script>${embedded(code)}</script></body></html>`;

const OUTER_STYLE =
  'html,body{margin:0;height:100%;overflow:hidden;background:transparent}' +
  'iframe{border:0;width:100%;height:100%;display:block;color-scheme:normal}';

const INNER_STYLE =
  'html{overflow:auto}body{margin:0;display:flow-root;background:var(--jp-layout-color0);' +
  'color:var(--jp-content-font-color1);font:var(--jp-content-font-size1)/var(--jp-content-line-height) var(--jp-content-font-family)}' +
  '.output{overflow-x:auto}pre{font-family:var(--jp-code-font-family);font-size:var(--jp-code-font-size);white-space:pre-wrap}' +
  'img{max-width:100%}.problem{color:color-mix(in srgb,var(--jp-error-color1) 60%,var(--jp-content-font-color1))}a{color:var(--jp-content-link-color)}' +
  'table{border-collapse:collapse;font-size:var(--jp-ui-font-size1)}td,th{padding:.5em;text-align:right}';

export const outerPage = (code: string): string => page(OUTER_STYLE, code);
export const innerPage = (code: string): string => page(INNER_STYLE, code);
