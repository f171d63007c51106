/** A Chromium page that holds the views under the strict policy of an editor's webview. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Context } from 'mocha';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { THEMES, type ThemeName } from './themes.ts';

const STARTS_WITHIN_MS = 120_000;
/** On a busy machine. */
const PAGE_WAITS_MS = 90_000;

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
];
const here = path.dirname(fileURLToPath(import.meta.url));
const NONCE = 'views';
const URL_OF_PAGE = 'http://views.test/';

/** Where Chromium is; null where there is none. */
export function chromiumPath(): string | null {
  return (
    [process.env['HITCH_CHROMIUM'] ?? '', ...PLACES].find(place => place !== '' && existsSync(place)) ?? null
  );
}

/** A browser for a suite. Where there is no Chromium, skips the suite and says what to install. */
export function browserOrSkip(suite: Context): Promise<Browser> {
  const executable = chromiumPath();
  if (executable === null) {
    process.stdout.write('Skipped: Chromium is not installed (apt-get install chromium).\n');
    return suite.skip();
  }
  return openBrowser(executable);
}

export interface Browser {
  page(theme: ThemeName, size?: { width: number; height: number }): Promise<Page>;
  close(): Promise<void>;
}

export async function openBrowser(executablePath: string): Promise<Browser> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hitch-views-'));
  const bundle = await build({
    entryPoints: [path.join(here, 'page.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
  });
  const script = bundle.outputFiles[0]?.text ?? '';
  const context = await chromium.launchPersistentContext(folder, {
    executablePath,
    timeout: STARTS_WITHIN_MS,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      // A container's shared memory is small, and a full one ends the page.
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  context.setDefaultTimeout(PAGE_WAITS_MS);
  return {
    page: (theme, size = { width: 1280, height: 720 }) => newPage(context, script, theme, size),
    close: async () => {
      await context.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function newPage(
  context: BrowserContext,
  script: string,
  theme: ThemeName,
  size: { width: number; height: number },
): Promise<Page> {
  const page = await context.newPage();
  await page.setViewportSize(size);
  await page.route('**/*', async route => {
    await (route.request().url() === `${URL_OF_PAGE}views.js`
      ? route.fulfill({ contentType: 'text/javascript', body: script })
      : route.fulfill({
          contentType: 'text/html',
          headers: {
            'content-security-policy': `default-src 'none'; script-src 'nonce-${NONCE}'; style-src 'nonce-${NONCE}'`,
          },
          body: html(theme),
        }));
  });
  await page.goto(URL_OF_PAGE);
  await page.waitForFunction(() => 'views' in window);
  return page;
}

function html(theme: ThemeName): string {
  const { css, classes } = THEMES[theme];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Views</title>
<style nonce="${NONCE}">${css()}
html, body { height: 100%; margin: 0 }
body { background: var(--vscode-editor-background, var(--jp-layout-color1)); }
main { height: 100%; padding: 10px; box-sizing: border-box; overflow: auto; background: var(--vscode-editor-background) }</style>
<script nonce="${NONCE}" type="module" src="/views.js"></script></head>
<body><main class="${classes}"></main></body></html>`;
}
