/** How `<hitch-templates>` looks: the list beside the form where there is room, else above it. */
import { css } from 'lit';

export const templateStyles = css`
  /* The room is that of the tab, beside which others may stand, not that of the window. */
  :host {
    container-type: inline-size;
  }

  .columns {
    display: grid;
    grid-template-columns: minmax(200px, 280px) minmax(0, 1fr);
    gap: 20px;
  }

  @container (max-width: 560px) {
    .columns {
      grid-template-columns: minmax(0, 1fr);
    }
  }

  .side,
  form,
  nav {
    display: flex;
    flex-direction: column;
    gap: 12px;
    min-width: 0;
  }

  form {
    max-width: 760px;
  }

  h2 {
    font-size: 1.15em;
  }

  .list {
    display: flex;
    flex-direction: column;
    gap: 2px;
    margin: 0;
    padding: 0;
    list-style: none;
  }

  .template {
    display: flex;
    flex-direction: column;
    gap: 1px;
    width: 100%;
    padding: 6px 8px;
    border: 1px solid transparent;
    border-inline-start: 3px solid transparent;
    border-radius: 3px;
    color: inherit;
    background: none;
    font: inherit;
    text-align: start;
    overflow-wrap: anywhere;
    cursor: pointer;
  }

  .template:hover {
    background: var(--vscode-list-hoverBackground, rgba(128, 128, 128, 0.1));
  }

  .template[aria-current='true'] {
    border-color: var(--hitch-border);
    border-inline-start-color: var(--hitch-accent);
  }

  /* Edges without a colour get one in high contrast, and then every template looks chosen. */
  @media (forced-colors: active) {
    .template {
      border-color: Canvas;
    }

    .template[aria-current='true'] {
      border-color: Highlight;
    }
  }

  .template:hover .quiet {
    color: inherit;
  }

  .template .title {
    font-weight: 600;
  }

  .group {
    margin: 0;
    padding: 8px 10px;
    border: 1px solid var(--hitch-border);
  }

  details > * + * {
    margin-top: 10px;
  }

  summary {
    cursor: pointer;
  }

  .facts {
    display: flex;
    flex-direction: column;
    gap: 8px;
    margin: 0;
  }

  dt {
    font-weight: 600;
  }

  dd {
    margin: 0;
    overflow-wrap: anywhere;
  }

  pre {
    max-height: 16em;
    margin: 0;
    padding: 6px 8px;
    overflow: auto;
    background: var(--vscode-textCodeBlock-background, rgba(128, 128, 128, 0.1));
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: 0.95em;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }

  .problems {
    margin: 0;
    padding-inline-start: 18px;
  }

  .note .problems {
    flex-basis: 100%;
  }
`;
