import { css } from 'lit';

export const tableStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    gap: 8px;
    height: 100%;
    min-height: 260px;
    /* Where the filters alone are higher than the tab, the rows are reached by scrolling. */
    overflow: hidden auto;
  }

  .main {
    position: relative;
    display: flex;
    flex: 1 1 auto;
    flex-direction: column;
    min-height: 120px;
  }

  .main[hidden] {
    display: none;
  }

  .main.covered .scroller {
    visibility: hidden;
  }

  .scroller {
    position: relative;
    flex: 1 1 0;
    min-height: 0;
    overflow: auto;
    overflow-anchor: none;
    border: 1px solid var(--hitch-border);
    border-radius: 3px;
    contain: strict;
    outline: none;
    /* Without an opaque ground the whole view is painted again for each step. */
    background: var(--hitch-background);
    will-change: transform;
  }

  .scroller:focus-visible {
    border-color: var(--hitch-focus);
  }

  .head-row,
  .row {
    display: grid;
    grid-template-columns: var(--tracks);
    min-width: var(--least);
  }

  .head {
    position: sticky;
    top: 0;
    z-index: 2;
    width: 100%;
    min-width: var(--least);
    height: 30px;
    background: var(--hitch-background);
    border-bottom: 1px solid var(--hitch-border);
  }

  .body {
    position: relative;
    min-width: var(--least);
    transition: opacity 0s 150ms;
  }

  .body.outdated {
    opacity: 0.55;
  }

  .row {
    position: absolute;
    right: 0;
    left: 0;
    height: 28px;
    /* What did not change is not painted again. A transform in the place of top would be one thing more to keep for each. */
    contain: strict;
    border-bottom: 1px solid color-mix(in srgb, var(--hitch-border) 45%, transparent);
  }

  .row[hidden] {
    display: none;
  }

  .cell {
    padding: 0 6px;
    line-height: 27px;
    white-space: nowrap;
    cursor: default;
  }

  /* Each clip costs time in every frame: numbers fit, and so do most words. */
  .cell.long,
  .tight .cell.word {
    overflow: hidden;
    text-overflow: ellipsis;
  }

  .head .cell {
    overflow: hidden;
    display: flex;
    align-items: center;
    gap: 4px;
    line-height: 29px;
    font-weight: 600;
  }

  .head .cell.numeric {
    justify-content: flex-end;
  }

  .head .cell.sortable {
    cursor: pointer;
  }

  .head .cell.sortable:hover {
    text-decoration: underline;
  }

  .head svg {
    flex: none;
    width: 8px;
    height: 8px;
  }

  .cell.numeric {
    text-align: end;
  }

  .cell.warning {
    color: var(--hitch-warning-text);
  }

  .cell.good {
    color: var(--hitch-good-text);
  }

  /* More columns than fit: which GPU it is, and Rent…, stay in view. */
  .sideways .row,
  .sideways .head-row {
    background: var(--hitch-background);
  }

  .sideways .cell:nth-child(2),
  .sideways .cell.rent {
    position: sticky;
    z-index: 1;
    background: inherit;
  }

  .sideways .cell:nth-child(2) {
    inset-inline-start: 0;
  }

  .sideways .cell.rent {
    inset-inline-end: 0;
  }

  .row:hover {
    background: var(--vscode-list-hoverBackground, rgba(128, 128, 128, 0.12));
  }

  .row[aria-selected='true'] {
    background: var(--vscode-list-inactiveSelectionBackground, rgba(128, 128, 128, 0.22));
  }

  .scroller:focus-visible .row.active {
    outline: 1px solid var(--vscode-list-focusOutline, var(--hitch-focus));
    outline-offset: -1px;
  }

  .sideways:focus-visible .row.active .cell:nth-child(2),
  .sideways:focus-visible .row.active .cell.rent {
    box-shadow:
      inset 0 1px var(--hitch-focus),
      inset 0 -1px var(--hitch-focus);
  }

  .scroller:focus-visible .cell.active {
    outline: 1px solid var(--hitch-focus);
    outline-offset: -2px;
  }

  .row.loading .cell:not(.select)::after {
    content: '';
    display: inline-block;
    width: 60%;
    height: 9px;
    border-radius: 3px;
    background: color-mix(in srgb, var(--hitch-border) 60%, transparent);
  }

  .row.loading .box,
  .row.loading .rent-face,
  .row.only-shown .box {
    visibility: hidden;
  }

  .row.only-shown .cell {
    color: var(--hitch-quiet);
  }

  .cell.select {
    padding: 0;
    text-align: center;
  }

  .box {
    display: inline-block;
    width: 14px;
    height: 14px;
    border: 1px solid var(--hitch-quiet);
    border-radius: 3px;
    vertical-align: -2px;
  }

  .row[aria-selected='true'] .box {
    border-color: var(--hitch-focus);
    background: var(--hitch-focus);
    box-shadow: inset 0 0 0 2px var(--hitch-background);
  }

  .cell.rent {
    padding: 3px 6px;
    line-height: 20px;
  }

  .rent-face {
    display: block;
    border: 1px solid var(--vscode-button-border, transparent);
    border-radius: 3px;
    color: var(--vscode-button-secondaryForeground, inherit);
    background: var(--vscode-button-secondaryBackground, rgba(128, 128, 128, 0.2));
    text-align: center;
    cursor: pointer;
  }

  .rent-face:hover,
  .row.active .rent-face:hover {
    color: var(--vscode-button-foreground, #fff);
    background: var(--vscode-button-background, #0078d4);
  }

  .message {
    position: absolute;
    inset: 0;
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: 12px;
    padding: 16px;
    border: 1px solid var(--hitch-border);
    border-radius: 3px;
    text-align: center;
  }

  .message p {
    max-width: 52ch;
  }

  .chosen {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 6px 12px;
  }

  .chosen label {
    display: inline-flex;
    align-items: center;
    gap: 6px;
  }

  .chosen vscode-textfield {
    width: 64px;
  }

  .footer {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 12px;
    font-size: 0.92em;
  }

  .footer .end {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 12px;
    margin-inline-start: auto;
  }

  @media (prefers-reduced-motion: reduce) {
    .body {
      transition: none;
    }
  }

  @media (forced-colors: active) {
    .row[aria-selected='true'] {
      outline: 1px solid Highlight;
      outline-offset: -1px;
    }

    .row[aria-selected='true'] .box {
      background: Highlight;
      forced-color-adjust: none;
    }

    .rent-face {
      border-color: ButtonBorder;
    }
  }
`;
