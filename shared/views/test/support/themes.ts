/** The looks that the views are tested in: those of both hosts, as far as the views use them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = (variables: Readonly<Record<string, string>>): string =>
  `:root { ${Object.entries(variables)
    .map(([name, value]) => `--vscode-${name}: ${value};`)
    .join(' ')} }`;

/** JupyterLab's own variables, from the Python that the tests run. */
function jupyter(name: string): string {
  const python = process.env['HITCH_PYTHON'];
  if (python === undefined) {
    throw new Error('HITCH_PYTHON is not set: start the tests through npm.');
  }
  const themes = path.resolve(path.dirname(python), '../share/jupyter/lab/themes/@jupyterlab');
  return readFileSync(path.join(themes, name, 'index.css'), 'utf8');
}

/** Those of VS Code's own themes, Light Modern and Dark Modern. */
const light = {
  'editor-background': '#ffffff',
  foreground: '#3b3b3b',
  descriptionForeground: '#3b3b3b',
  focusBorder: '#005fb8',
  'panel-border': '#e5e5e5',
  'button-background': '#005fb8',
  'button-foreground': '#ffffff',
  'button-hoverBackground': '#0258a8',
  'button-secondaryBackground': '#e5e5e5',
  'button-secondaryForeground': '#3b3b3b',
  'button-secondaryHoverBackground': '#cccccc',
  'settings-textInputBackground': '#ffffff',
  'settings-textInputBorder': '#cecece',
  'settings-textInputForeground': '#3b3b3b',
  'settings-dropdownBackground': '#ffffff',
  'settings-dropdownBorder': '#cecece',
  'settings-dropdownForeground': '#3b3b3b',
  'input-placeholderForeground': '#767676',
  'editorWarning-foreground': '#bf8803',
  errorForeground: '#f85149',
  'inputValidation-errorBackground': '#f2dede',
  'inputValidation-errorBorder': '#be1100',
  'charts-green': '#388a34',
  'charts-blue': '#0063d3',
  'textLink-foreground': '#005fb8',
  'badge-background': '#cccccc',
  'badge-foreground': '#3b3b3b',
  'list-hoverBackground': '#f2f2f2',
  'list-inactiveSelectionBackground': '#e4e6f1',
  'editorWidget-background': '#f8f8f8',
};

const dark = {
  ...light,
  'editor-background': '#1f1f1f',
  foreground: '#cccccc',
  descriptionForeground: '#9d9d9d',
  focusBorder: '#0078d4',
  'panel-border': '#2b2b2b',
  'button-background': '#0078d4',
  'button-hoverBackground': '#026ec1',
  'button-secondaryBackground': '#313131',
  'button-secondaryForeground': '#cccccc',
  'button-secondaryHoverBackground': '#3c3c3c',
  'settings-textInputBackground': '#313131',
  'settings-textInputBorder': '#3c3c3c',
  'settings-textInputForeground': '#cccccc',
  'settings-dropdownBackground': '#313131',
  'settings-dropdownBorder': '#3c3c3c',
  'settings-dropdownForeground': '#cccccc',
  'input-placeholderForeground': '#989898',
  'editorWarning-foreground': '#cca700',
  errorForeground: '#f85149',
  'inputValidation-errorBackground': '#5a1d1d',
  'charts-green': '#89d185',
  'charts-blue': '#3794ff',
  'textLink-foreground': '#4daafc',
  'badge-background': '#616161',
  'badge-foreground': '#f8f8f8',
  'list-hoverBackground': '#2a2d2e',
  'list-inactiveSelectionBackground': '#37373d',
  'editorWidget-background': '#202020',
};

export const THEMES = {
  'code-light': { classes: '', css: () => root(light) },
  'code-dark': { classes: '', css: () => root(dark) },
  'lab-light': { classes: 'hitch-jupyter', css: () => jupyter('theme-light-extension') },
  'lab-dark': { classes: 'hitch-jupyter', css: () => jupyter('theme-dark-extension') },
} as const;
export type ThemeName = keyof typeof THEMES;
