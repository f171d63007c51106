/** The page around the views. A constructed sheet: the page's policy lets no style in that is written into it. */
const SHEET = `
html, body { height: 100%; }
body {
  margin: 0;
  padding: 0;
  background: var(--vscode-editor-background);
  color: var(--vscode-foreground);
  font-family: var(--vscode-font-family, system-ui, sans-serif);
  font-size: var(--vscode-font-size, 13px);
  line-height: 1.4;
}
main { box-sizing: border-box; height: 100%; padding: 12px 16px; overflow: auto; }
[data-view='offers'] main { overflow: hidden; }
hitch-offer-table { height: 100%; }
.templates > p { margin: 12px 0 0; color: var(--vscode-errorForeground); }
h1 { margin: 0; font-size: 1.3em; font-weight: 600; }
h2 { margin: 0 0 8px; font-size: 1em; font-weight: 600; }
.head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 6px 12px; margin-bottom: 16px; }
.line { color: var(--vscode-descriptionForeground); font-variant-numeric: tabular-nums; }
.actions { display: flex; flex-wrap: wrap; gap: 6px; margin-inline-start: auto; }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) minmax(260px, 380px); gap: 28px; }
.facts { margin: 0 0 10px; padding: 0; list-style: none; font-variant-numeric: tabular-nums; }
@media (max-width: 760px) { .columns { grid-template-columns: minmax(0, 1fr); } }
.badge {
  padding: 1px 7px;
  border: 1px solid var(--vscode-contrastBorder, transparent);
  border-radius: 9px;
  background: var(--vscode-badge-background);
  color: var(--vscode-badge-foreground);
  font-size: 0.85em;
}
`;

export function pageStyles(): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(SHEET);
  return sheet;
}
