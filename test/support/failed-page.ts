/**
 * What a browser shows and has said when a test fails: kept in a folder that the failure names. Who reads a log of a machine
 * that is no longer there has nothing else to find the cause by.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'mocha';
import type { BrowserContext, Frame, Page } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(root, '.cache', 'logs', 'failed');
/** A page that hangs is a cause as well: what it does not give within this time is said to be missing. */
const EACH_WITHIN_MS = 20_000;
/** Of a page that prints without end, the last lines. */
const LINES_KEPT = 2_000;

/** What the pages of a browser context said, each line with the time of day. */
const said = new WeakMap<BrowserContext, string[]>();

/** From now on what its pages print, throw and open is remembered; best before the first page is opened. */
export function rememberPages(context: BrowserContext): void {
  if (said.has(context)) {
    return;
  }
  const lines: string[] = [];
  said.set(context, lines);
  const note = (line: string): void => {
    lines.push(`${new Date().toISOString().slice(11, 23)} ${line}`);
    if (lines.length > LINES_KEPT) {
      lines.splice(0, 1, '(older lines are left out)');
      lines.splice(1, 1);
    }
  };
  context.on('console', message => {
    note(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  context.on('weberror', error => {
    note(`thrown: ${error.error().stack ?? error.error().message}`);
  });
  context.on('requestfailed', request => {
    note(`failed: ${request.method()} ${request.url()} ${request.failure()?.errorText ?? ''}`);
  });
  context.on('response', response => {
    if (response.status() >= 400) {
      note(`answered ${response.status().toString()}: ${response.request().method()} ${response.url()}`);
    }
  });
  context.on('page', page => {
    note(`opened: ${page.url()}`);
    page.on('crash', () => {
      note(`crashed: ${page.url()}`);
    });
    page.on('close', () => {
      note(`closed: ${page.url()}`);
    });
  });
}

/** As a screen reader meets it, shadow roots included. */
const textOf = async (frame: Frame): Promise<string> =>
  `--- ${frame.url()}\n${await frame.locator('body').ariaSnapshot({ timeout: EACH_WITHIN_MS })}`;

const orWhyNot = (asked: Promise<string>): Promise<string> =>
  asked.catch((error: unknown) => `not to be had: ${String(error)}`);

async function keepPage(page: Page, path: string): Promise<void> {
  const picture = { path: `${path}.png`, timeout: EACH_WITHIN_MS };
  const shown = await orWhyNot(page.screenshot(picture).then(() => `as in ${path}.png`));
  const texts = await Promise.all(page.frames().map(frame => orWhyNot(textOf(frame))));
  writeFileSync(`${path}.txt`, [page.url(), shown, ...texts, ''].join('\n'));
}

/**
 * Keeps what the pages of a context show and have said.
 * @param name of the folder, as a sentence.
 * @param more further texts by their names, such as what a server has printed.
 * @returns the folder, relative to the checkout.
 */
export async function keepPages(
  name: string,
  context: BrowserContext,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  // A second run of a file lies beside the first.
  const again = process.env['HITCH_TEST_AGAIN'] === undefined ? '' : '-again';
  const folder = join(FOLDER, `${name.slice(0, 80).replaceAll(/\W+/g, '-')}${again}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [index, page] of context.pages().entries()) {
    await keepPage(page, join(folder, `page-${(index + 1).toString()}`));
  }
  const texts = { console: (said.get(context) ?? []).join('\n'), ...more };
  for (const [what, text] of Object.entries(texts)) {
    writeFileSync(join(folder, `${what}.txt`), `${text}\n`);
  }
  return relative(root, folder);
}

/** For an `afterEach`: the same if the test has failed, and the folder's name is added to what is reported. */
export async function keepFailedPages(
  suite: string,
  test: Test | undefined,
  context: BrowserContext,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (test?.state === 'failed') {
    nameFolder(test, await keepPages(`${suite} ${test.title}`, context, more));
  }
}

/** The runner reports a failure once all has ended, so it can still be added to here. */
function nameFolder({ err }: Test, folder: string): void {
  if (err !== undefined) {
    const before = err.message;
    err.message = `${before}\n(pictures, texts and the console of its pages are in ${folder})`;
    err.stack = err.stack?.replace(before, () => err.message) ?? err.message;
  }
}
