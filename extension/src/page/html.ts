/** The page's document: scripts of ours only, by a nonce of this one page; nothing written into it, nothing from afar. */
export interface PageOptions {
  readonly nonce: string;
  /** Of the page's program. */
  readonly script: string;
  readonly title: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escape = (text: string): string => text.replace(/[&<>"']/g, sign => ESCAPES[sign] ?? sign);

export function pageHtml({ nonce, script, title }: PageOptions): string {
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
</head>
<body><main></main><script nonce="${escape(nonce)}" type="module" src="${escape(script)}"></script></body>
</html>
`;
}
