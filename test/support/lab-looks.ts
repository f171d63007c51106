/** How a page of JupyterLab looks: in both themes, to a screen reader, and to whoever reads the pictures later. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { faintTexts } from '../../shared/views/test/support/contrast.ts';
import type { LabPage } from './jupyterlab.ts';
import { until } from './waiting.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export type Theme = 'light' | 'dark';

export async function useTheme(lab: LabPage, name: Theme): Promise<void> {
  const theme = name === 'dark' ? 'JupyterLab Dark' : 'JupyterLab Light';
  await lab.command('apputils:change-theme', { theme });
  await lab.page.locator('#jupyterlab-splash').waitFor({ state: 'detached' });
  await lab.page.waitForFunction(
    `document.body.dataset.jpThemeLight === ${JSON.stringify(String(name === 'light'))}`,
  );
}

/** What axe finds below a selector. */
export const barriers = (lab: LabPage, selector: string): Promise<string[]> => barriersOf(lab.page, selector);

/** The same on any page. Evaluated from outside: a page's own policy lets no such script in. */
export async function barriersOf(page: Page, selector: string): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(
    `axe.run(${JSON.stringify(selector)}).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
      nodes.map(node => id + ': ' + node.html.slice(0, 200) + ' ' + (node.failureSummary ?? ''))))`,
  );
}

/** Both themes, a picture of each, nothing below the selector that axe objects to, and no text there that is too pale. */
export async function look(lab: LabPage, name: string, selector?: string): Promise<void> {
  for (const theme of ['dark', 'light'] as const) {
    await useTheme(lab, theme);
    await lab.picture(`${name}-${theme}`);
    if (selector !== undefined) {
      assert.deepEqual(await barriers(lab, selector), [], `${name}, ${theme}`);
      assert.deepEqual(await faintTexts(lab.page, selector), [], `${name}, ${theme}`);
    }
  }
}

/** The name, or the words, of what has the focus, also inside a shadow root. */
export const focused = (lab: LabPage): Promise<string> =>
  lab.page.evaluate(`(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return (at?.getAttribute('aria-label') ?? at?.textContent ?? '').trim();
  })()`);

/** Waits until what has this name, or these words, has the focus: a dialog takes it a moment after it is seen. */
export async function untilFocused(lab: LabPage, name: string | RegExp): Promise<void> {
  let seen = '';
  const hasIt = async (): Promise<boolean> => {
    seen = await focused(lab);
    return typeof name === 'string' ? seen === name : name.test(seen);
  };
  await until(`${String(name)} has the focus`, hasIt, undefined, () => seen);
}

/** Where the focus is: the tags, ids and classes on the way to it, through every shadow root. */
export const focusedIn = (lab: LabPage): Promise<string> =>
  lab.page.evaluate(`(() => {
    const steps = [];
    for (let at = document.activeElement; at !== null; at = at.shadowRoot?.activeElement ?? null) {
      steps.push(at.localName + (at.id === '' ? '' : '#' + at.id) + [...at.classList].map(name => '.' + name).join(''));
    }
    return steps.join(' ');
  })()`);

/** JupyterLab's own: its debugger's question is cut off when a notebook changes kernels. */
const CUT_OFF = /^Canceled future for debug_request/;

/**
 * React, in JupyterLab's own bundle, now and then takes away a notification's node that is gone already; nothing of ours
 * is on the way there, and nothing is missing after it.
 */
const REACTS_OWN = /^NotFoundError: Failed to execute 'removeChild' on 'Node'/;

/** Collects what nobody catches on a page, for as long as it lives. */
export function collectUncaught(lab: LabPage, into: string[]): void {
  lab.page.on('pageerror', ({ message, stack = message }) => {
    const isReacts = REACTS_OWN.test(stack) && !stack.includes('jupyterlab-hitch');
    if (!CUT_OFF.test(message) && !isReacts) {
      into.push(stack);
    }
  });
}
