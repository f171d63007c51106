/** The documents of the daemon's window. Names and titles come from networks and machines: every word is escaped. */
import { type Approval, type HitchError, quoteLineTone } from '@hitch/contract';
import { escapeHtml } from '@hitch/platform/src/escape-html.ts';
import { WINDOW_SCRIPT } from './window-script.ts';

const STYLE = `
:root {
  color-scheme: light dark;
  --text: #1f1f1f; --quiet: #5c5c5c; --ground: #ffffff; --edge: #cecece;
  --warning: #895503; --warning-ground: #fdf3e1; --practice: #005fb8; --practice-ground: #e8f2fb;
  --yes: #005fb8; --yes-text: #ffffff; --no: #e5e5e5; --no-text: #1f1f1f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e4e4e4; --quiet: #a8a8a8; --ground: #1f1f1f; --edge: #454545;
    --warning: #e2b366; --warning-ground: #33291a; --practice: #6cb6ff; --practice-ground: #19293a;
    --yes: #0078d4; --yes-text: #ffffff; --no: #3a3a3a; --no-text: #e4e4e4;
  }
}
* { box-sizing: border-box; }
body { margin: 0; color: var(--text); background: var(--ground); font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 560px; margin: 0 auto; padding: 16px 20px 0; }
h1 { margin: 0 0 12px; font-size: 1.3em; }
.quiet { margin: 0 0 12px; color: var(--quiet); font-size: .9em; }
ul { display: flex; flex-direction: column; gap: 8px; margin: 0 0 12px; padding: 0; list-style: none; }
li { overflow-wrap: anywhere; }
li.warning { padding: 4px 8px; border-inline-start: 3px solid var(--warning); background: var(--warning-ground); }
li.practice { padding: 4px 8px; border-inline-start: 3px solid var(--practice); background: var(--practice-ground); }
.answer {
  position: sticky; bottom: 0; padding: 10px 0 16px; border-top: 1px solid var(--edge); background: var(--ground);
}
.answer p { margin: 0 0 8px; overflow-wrap: anywhere; }
.answer p:empty, .too-small { display: none; }
.small .too-small { display: block; }
.buttons { display: flex; flex-wrap: wrap; gap: 8px; justify-content: flex-end; }
button { padding: 8px 16px; border: 1px solid transparent; border-radius: 4px; font: inherit; cursor: pointer; }
button:focus-visible { outline: 2px solid var(--practice); outline-offset: 2px; }
#no { color: var(--no-text); background: var(--no); }
#yes { color: var(--yes-text); background: var(--yes); }
#yes[aria-disabled='true'] { opacity: .55; cursor: default; }
[hidden] { display: none; }
@media (forced-colors: active) { button { border-color: ButtonText; } li.warning, li.practice { border: 1px solid CanvasText; } }
`;

export interface WindowPage {
  readonly approval: Pick<Approval, 'lines' | 'yes' | 'code'>;
  readonly secret: string;
  readonly nonce: string;
}

export function windowPage({ approval, secret, nonce }: WindowPage): string {
  const [question = '', ...lines] = approval.lines;
  const rows = lines.map(line => `<li class="${quoteLineTone(line)}">${escapeHtml(line)}</li>`).join('\n');
  return page({
    nonce,
    title: question,
    data: ` data-secret="${escapeHtml(secret)}"`,
    content: `<h1>${escapeHtml(question)}</h1>
<p class="quiet">A page in your browser asks for this. Nothing is spent before you say yes here.</p>
<ul>
${rows}
</ul>
<div class="answer">
<noscript><p>This window needs scripts. Run “hitch approve ${escapeHtml(approval.code)}” in a terminal instead.</p></noscript>
<p class="too-small">Make this window larger to approve.</p>
<p id="note" role="status"></p>
<div class="buttons">
<button type="button" id="no">Cancel</button>
<button type="button" id="yes" aria-disabled="true">${escapeHtml(approval.yes)}</button>
</div>
</div>
<script nonce="${nonce}">${WINDOW_SCRIPT}</script>`,
  });
}

/** What cannot be shown, in its sentence. */
export function failurePage({ error, nonce }: { error: HitchError; nonce: string }): string {
  return page({
    nonce,
    title: 'Hitch',
    data: '',
    content: `<h1>There is nothing to say yes to</h1>
<p>${escapeHtml(error.message)} ${escapeHtml(error.next ?? '')}</p>`,
  });
}

function page(of: { nonce: string; title: string; data: string; content: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(of.title)} · Hitch</title>
<style nonce="${of.nonce}">${STYLE}</style>
</head>
<body${of.data}>
<main>
${of.content}
</main>
</body>
</html>
`;
}
