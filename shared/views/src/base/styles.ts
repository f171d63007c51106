/** Looks that all views share. Only the editor's variables are used; JupyterLab's are mapped onto them. */
import { css } from 'lit';

export const baseStyles = css`
  :host {
    --hitch-border: var(--vscode-panel-border, var(--vscode-widget-border, rgba(128, 128, 128, 0.35)));
    --hitch-quiet: var(--vscode-descriptionForeground, #737373);
    --hitch-warning: var(--vscode-editorWarning-foreground, #bf8803);
    --hitch-error: var(--vscode-errorForeground, #c72e0f);
    --hitch-good: var(--vscode-charts-green, #388a34);
    /* For words: an editor's colours of signs are too pale on its own ground, so the text's colour is mixed in. */
    --hitch-warning-text: color-mix(in srgb, var(--hitch-warning) 50%, var(--vscode-foreground, CanvasText));
    --hitch-error-text: color-mix(in srgb, var(--hitch-error) 60%, var(--vscode-foreground, CanvasText));
    --hitch-good-text: color-mix(in srgb, var(--hitch-good) 60%, var(--vscode-foreground, CanvasText));
    --hitch-accent: var(--vscode-charts-blue, #1a85ff);
    --hitch-focus: var(--vscode-focusBorder, #0078d4);
    --hitch-background: var(--vscode-editor-background, Canvas);
    --hitch-raised: var(--vscode-editorWidget-background, var(--hitch-background));
    box-sizing: border-box;
    display: block;
    color: var(--vscode-foreground, CanvasText);
    font-family: var(--vscode-font-family, system-ui, sans-serif);
    font-size: var(--vscode-font-size, 13px);
    line-height: 1.4;
    font-variant-numeric: tabular-nums;
  }

  :host([hidden]) {
    display: none;
  }

  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  .spoken {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  .quiet {
    color: var(--hitch-quiet);
  }

  .warning {
    color: var(--hitch-warning-text);
  }

  .error {
    color: var(--hitch-error-text);
  }

  h2,
  h3,
  p {
    margin: 0;
    font-size: inherit;
  }

  h2,
  h3 {
    font-weight: 600;
  }

  .note {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 12px;
    padding: 6px 10px;
    border-inline-start: 3px solid var(--hitch-accent);
    background: var(--vscode-list-hoverBackground, rgba(128, 128, 128, 0.1));
  }

  /* A button's quiet ground is the note's own in some themes. */
  .note vscode-button[secondary] {
    --vscode-button-border: var(--hitch-border);
  }

  .note.warning {
    border-color: var(--hitch-warning);
    color: inherit;
  }

  .note.error {
    border-color: var(--hitch-error);
    color: inherit;
  }

  /* On a note's ground quiet words would be too faint. */
  .note .quiet {
    color: inherit;
  }

  .note > :first-child {
    flex: 1 1 240px;
  }

  vscode-textfield {
    width: 100%;
  }

  /* The kit colours its host's edge, which has no width; the edge that is seen takes this colour. */
  vscode-textfield[invalid] {
    --vscode-settings-textInputBorder: var(--vscode-inputValidation-errorBorder, var(--hitch-error));
  }

  select {
    width: 100%;
    height: 26px;
    padding: 0 4px;
    border: 1px solid var(--vscode-settings-dropdownBorder, var(--hitch-border));
    border-radius: 4px;
    color: var(--vscode-settings-dropdownForeground, inherit);
    background: var(--vscode-settings-dropdownBackground, var(--hitch-background));
    font: inherit;
  }

  select[aria-invalid='true'] {
    border-color: var(--vscode-inputValidation-errorBorder, var(--hitch-error));
  }

  input[type='checkbox'],
  input[type='radio'] {
    width: 15px;
    height: 15px;
    margin: 0;
    accent-color: var(--hitch-focus);
  }

  select:focus-visible,
  input:focus-visible,
  button:focus-visible,
  summary:focus-visible,
  [tabindex]:focus-visible {
    outline: 1px solid var(--hitch-focus);
    outline-offset: 1px;
  }

  button.link {
    padding: 0;
    border: 0;
    color: var(--vscode-textLink-foreground, LinkText);
    background: none;
    font: inherit;
    text-decoration: underline;
    cursor: pointer;
  }

  @media (forced-colors: active) {
    .note,
    .note.warning,
    .note.error {
      border: 1px solid CanvasText;
    }
  }
`;
