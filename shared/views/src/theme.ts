/** The `--vscode-*` variables of the views and their kit, from JupyterLab's: for a host class, as one stylesheet. */

/** Put this class on the widget that holds the views. */
export const JUPYTER_THEME_CLASS = 'hitch-jupyter';

const FROM_JUPYTER: Readonly<Record<string, string>> = {
  'font-family': 'var(--jp-ui-font-family)',
  'font-size': 'var(--jp-ui-font-size1)',
  'font-weight': 'normal',
  'editor-font-family': 'var(--jp-code-font-family)',
  'editor-background': 'var(--jp-layout-color1)',
  'editor-foreground': 'var(--jp-ui-font-color1)',
  foreground: 'var(--jp-ui-font-color1)',
  descriptionForeground: 'var(--jp-ui-font-color2)',
  disabledForeground: 'var(--jp-ui-font-color3)',
  focusBorder: 'var(--jp-brand-color1)',
  contrastBorder: 'transparent',
  'panel-border': 'var(--jp-border-color1)',
  'widget-border': 'var(--jp-border-color1)',
  'widget-shadow': 'rgba(0, 0, 0, 0.24)',
  'editorWidget-background': 'var(--jp-layout-color1)',
  'sideBar-background': 'var(--jp-layout-color1)',
  'button-background': 'var(--jp-brand-color1)',
  'button-foreground': 'var(--jp-ui-inverse-font-color1)',
  'button-hoverBackground': 'var(--jp-brand-color0)',
  'button-secondaryBackground': 'var(--jp-layout-color2)',
  'button-secondaryForeground': 'var(--jp-ui-font-color1)',
  'button-secondaryHoverBackground': 'var(--jp-layout-color3)',
  'settings-textInputBackground': 'var(--jp-input-background)',
  'settings-textInputBorder': 'var(--jp-input-border-color)',
  'settings-textInputForeground': 'var(--jp-ui-font-color0)',
  'settings-dropdownBackground': 'var(--jp-input-background)',
  'settings-dropdownBorder': 'var(--jp-input-border-color)',
  'settings-dropdownForeground': 'var(--jp-ui-font-color0)',
  'settings-checkboxBackground': 'var(--jp-input-background)',
  'settings-checkboxBorder': 'var(--jp-input-border-color)',
  'settings-checkboxForeground': 'var(--jp-ui-font-color0)',
  'input-placeholderForeground': 'var(--jp-ui-font-color2)',
  'inputValidation-errorBackground': 'var(--jp-layout-color1)',
  'inputValidation-errorBorder': 'var(--jp-error-color1)',
  errorForeground: 'var(--jp-error-color1)',
  'editorWarning-foreground': 'var(--jp-warn-color1)',
  'charts-green': 'var(--jp-success-color1)',
  'charts-blue': 'var(--jp-brand-color1)',
  'charts-red': 'var(--jp-error-color1)',
  'charts-yellow': 'var(--jp-warn-color1)',
  'textLink-foreground': 'var(--jp-content-link-color)',
  'badge-background': 'var(--jp-layout-color2)',
  'badge-foreground': 'var(--jp-ui-font-color1)',
  'list-hoverBackground': 'var(--jp-layout-color2)',
  'list-inactiveSelectionBackground': 'var(--jp-layout-color2)',
  'list-focusOutline': 'var(--jp-brand-color1)',
};

/** The mapping as CSS. */
export const jupyterTheme = `.${JUPYTER_THEME_CLASS} {\n${Object.entries(FROM_JUPYTER)
  .map(([name, value]) => `  --vscode-${name}: ${value};`)
  .join('\n')}\n}\n`;

/** Gives the mapping to a page, once; a constructed sheet, so that no policy on inline styles refuses it. */
export function adoptJupyterTheme(page: Document): void {
  const already = page.adoptedStyleSheets.some(sheet =>
    [...sheet.cssRules].some(rule => rule.cssText.startsWith(`.${JUPYTER_THEME_CLASS} `)),
  );
  if (!already) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(jupyterTheme);
    page.adoptedStyleSheets = [...page.adoptedStyleSheets, sheet];
  }
}
