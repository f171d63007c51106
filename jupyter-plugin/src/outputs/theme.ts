/** JupyterLab's colours and fonts for a frame, which has no style sheet of JupyterLab. */

const NAMES = [
  'border-color0 border-color1 border-color2 border-width brand-color0 brand-color1 brand-color2 brand-color3',
  'code-font-family code-font-size content-font-color0 content-font-color1 content-font-color2 content-font-family',
  'content-font-size1 content-line-height content-link-color error-color0 error-color1 error-color2 info-color0',
  'info-color1 info-color2 input-border-color input-active-border-color input-background layout-color0 layout-color1',
  'layout-color2 layout-color3 layout-color4 success-color0 success-color1 success-color2 ui-font-color0 ui-font-color1',
  'ui-font-color2 ui-font-family ui-font-size0 ui-font-size1 ui-font-size2 ui-inverse-font-color1 warn-color0',
  'warn-color1 warn-color2',
]
  .join(' ')
  .split(' ')
  .map(name => `--jp-${name}`);

/** As a style sheet that wins over one that brings values of its own. */
export function themeStyle(isLight: boolean): string {
  const { body } = document;
  const computed = getComputedStyle(body);
  const values = NAMES.map(name => `${name}:${computed.getPropertyValue(name)}`);
  return `:root:root{color-scheme:${isLight ? 'light' : 'dark'};${values.join(';')}}`;
}
