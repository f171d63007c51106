/** The daemon's window in which a person says yes, as a person meets it: it opens by itself, is read, and is pressed. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { faintTexts } from '../../shared/views/test/support/contrast.ts';
import type { DaemonHome } from './daemon-home.ts';
import type { LabPage } from './jupyterlab.ts';
import { barriersOf } from './lab-looks.ts';

const PICTURES = fileURLToPath(new URL('../../.cache/screenshots', import.meta.url));
const SLOW_MS = 120_000;

/** The window that opens while `act` runs. */
export async function windowOpenedBy(lab: LabPage, act: () => Promise<void>): Promise<Page> {
  const opening = lab.page.context().waitForEvent('page', { timeout: SLOW_MS });
  // Together: what `act` throws is told, and nothing is left that fails later on.
  const [opened] = await Promise.all([opening, act()]);
  await opened.getByRole('button', { name: 'Cancel' }).waitFor({ timeout: SLOW_MS });
  return opened;
}

/** Both colour schemes, a picture of each. @returns what axe objects to, and texts that are too pale. */
export async function lookAtWindow(window: Page, name: string): Promise<string[]> {
  mkdirSync(PICTURES, { recursive: true });
  // Ready to be pressed: a button that does not count yet is drawn paler.
  await window.locator('#yes[aria-disabled=false]').waitFor({ timeout: SLOW_MS });
  const found: string[] = [];
  for (const colorScheme of ['dark', 'light'] as const) {
    await window.emulateMedia({ colorScheme });
    await window.screenshot({ path: join(PICTURES, `${name}-${colorScheme}.png`) });
    found.push(...(await barriersOf(window, 'main')), ...(await faintTexts(window, 'main')));
  }
  return found;
}

/** Presses the yes as soon as it counts, and waits until the window has closed itself. */
export async function sayYes(window: Page, label: string | RegExp = /^Rent for up to/): Promise<void> {
  const closing = window.waitForEvent('close', { timeout: SLOW_MS });
  await Promise.all([closing, window.getByRole('button', { name: label }).click({ timeout: SLOW_MS })]);
}

/** Runs `act`, which asks for something that spends, and says yes to it. */
export async function approve(
  lab: LabPage,
  act: () => Promise<void>,
  label?: string | RegExp,
): Promise<void> {
  await sayYes(await windowOpenedBy(lab, act), label);
}

/** What a test has left open and unanswered, whatever became of it: nothing else may be. */
export async function withdrawAll({ page }: LabPage, { api }: DaemonHome): Promise<void> {
  for (const other of page.context().pages()) {
    if (other !== page) {
      await other.close();
    }
  }
  for (const { id, state } of await api.approvals.list()) {
    assert.equal(state, 'waiting');
    await api.approvals.withdraw({ approvalId: id });
  }
}
