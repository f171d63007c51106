/** The two pages that are Hitch's own on a port's origin. They have no script and no style, and the first word of each is plain text. */
import type { ServerResponse } from 'node:http';
import { escapeHtml } from '@hitch/platform/src/escape-html.ts';

const page = (head: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>Hitch</title>
${head}</head>
<body>
${body}
</body>
</html>
`;

/**
 * Leads on to the program's own page, once the cookie is there. A redirect would not do: the browser would take what follows for
 * asked by the page that led here, which is of another site, and send no cookie with it.
 */
export const leadingOn = (path: string): string =>
  page(
    `<meta http-equiv="refresh" content="0;url=${escapeHtml(path)}">\n`,
    `<p><a href="${escapeHtml(path)}">Open it</a></p>`,
  );

export const failing = (message: string, next: string | undefined): string =>
  page('', `<p>${escapeHtml(message)}</p>\n<p>${escapeHtml(next ?? '')}</p>`);

/** Nothing of it is kept, framed by others, or told of elsewhere. */
export function sendPage(
  response: ServerResponse,
  status: number,
  html: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(html),
    'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    ...headers,
  });
  response.end(html);
}
