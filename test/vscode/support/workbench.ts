/**
 * A page of VS Code's workbench, and the gestures of a person in it. VS Code drops a click or a key now and then: in the
 * first moment of a menu, while it draws a row anew, before what was opened has the focus. So gestures look at what came
 * of them and are made again, and only what is visible counts: a hidden picker still has the words of its last use.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'mocha';
import type { Frame, Locator, Page } from 'playwright-core';
import { faintTexts } from '../../../shared/views/test/support/contrast.ts';
import { keepFailedPages, rememberPages } from '../../support/failed-page.ts';
import { until } from '../../support/waiting.ts';

const FOUND_WITHIN_MS = 60_000;
const BROUGHT_WITHIN_MS = 90_000;
/** A gesture that could be made is given this long to show what came of it. */
const AGAIN_AFTER_MS = 15_000;
/** A gesture that cannot be made, such as on a row that has gone, is given up for the next try. */
const GESTURE_MS = 5_000;
const CLOSES_WITHIN_MS = 1_000;
/** Anything that takes the clicks and keys that are meant for what is below it. */
const IN_THE_WAY = '.quick-input-widget, .monaco-dialog-box, .monaco-menu-container, .context-view-block';

/** The classes that VS Code's own themes give the workbench. */
const HIGH_CONTRAST = { light: 'hc-light', dark: 'hc-black' } as const;
const USUAL = { light: 'vs', dark: 'vs-dark' } as const;

/** Settings of the page's user: quiet, and following the browser's colour scheme. */
export function writeUserSettings(data: string): void {
  const folder = join(data, 'data', 'User');
  mkdirSync(folder, { recursive: true });
  const settings = {
    'window.autoDetectColorScheme': true,
    'workbench.startupEditor': 'none',
    'workbench.reduceMotion': 'on',
    'chat.disableAIFeatures': true,
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'workbench.tips.enabled': false,
    'telemetry.telemetryLevel': 'off',
    // What a terminal shows is then text on the page.
    'terminal.integrated.gpuAcceleration': 'off',
    'git.openRepositoryInParentFolders': 'never',
    'remote.autoForwardPorts': false,
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const first = (locator: Locator): Locator => locator.filter({ visible: true }).first();

const succeeds = (gesture: Promise<unknown>): Promise<boolean> =>
  gesture.then(
    () => true,
    () => false,
  );
const hides = (locator: Locator, withinMs = GESTURE_MS): Promise<boolean> =>
  succeeds(locator.waitFor({ state: 'hidden', timeout: withinMs }));

export class Workbench {
  readonly page: Page;
  readonly #pictures: string;

  constructor(page: Page, pictures: string) {
    this.page = page;
    this.#pictures = pictures;
    mkdirSync(pictures, { recursive: true });
    rememberPages(page.context());
  }

  /** For an `afterEach`: what a test that failed has left on all pages, in a folder that the failure names. */
  async keepFailure(
    suite: string,
    test: Test | undefined,
    servers: Readonly<Record<string, string>>,
  ): Promise<void> {
    await keepFailedPages(suite, test, this.page.context(), servers);
  }

  /** The same screen, dark and light. */
  async picture(name: string): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({ colorScheme });
      // The theme is applied in the next frames; nothing tells when.
      await this.page.waitForTimeout(350);
      await this.page.screenshot({ path: join(this.#pictures, `${name}-${colorScheme}.png`) });
    }
  }

  /** The same in high contrast, dark and light, where VS Code follows the system. */
  async contrast(name: string): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({ colorScheme, forcedColors: 'active' });
      await this.page.locator(`.monaco-workbench.${HIGH_CONTRAST[colorScheme]}`).waitFor();
      await this.page.waitForTimeout(350);
      await this.page.screenshot({ path: join(this.#pictures, `${name}-contrast-${colorScheme}.png`) });
    }
    await this.page.emulateMedia({ colorScheme: 'light', forcedColors: 'none' });
    await this.page.locator(`.monaco-workbench.${USUAL.light}`).waitFor();
  }

  /** The first that is visible. */
  async found(locator: Locator, withinMs = FOUND_WITHIN_MS): Promise<Locator> {
    const seen = first(locator);
    await seen.waitFor({ timeout: withinMs });
    return seen;
  }

  /** What is looked for in the frames of webviews, which come and go with their tabs. */
  inPage(find: (frame: Frame) => Locator): Promise<Locator> {
    return until(`a page shows ${String(find(this.page.mainFrame()))}`, async () => {
      for (const frame of this.page.frames()) {
        const seen = first(find(frame));
        if (await seen.isVisible().catch(() => false)) {
          return seen;
        }
      }
      return null;
    });
  }

  /** Every text below a selector of a webview's page stands out from its ground, dark and light, also in high contrast. */
  async standsOut(find: (frame: Frame) => Locator, selector: string): Promise<void> {
    for (const forcedColors of ['active', 'none'] as const) {
      for (const colorScheme of ['dark', 'light'] as const) {
        await this.page.emulateMedia({ colorScheme, forcedColors });
        const theme = (forcedColors === 'active' ? HIGH_CONTRAST : USUAL)[colorScheme];
        await this.page.locator(`.monaco-workbench.${theme}`).waitFor();
        await this.#standsOutNow(find, selector, theme);
      }
    }
  }

  async #standsOutNow(find: (frame: Frame) => Locator, selector: string, theme: string): Promise<void> {
    let faint: readonly string[] = [];
    // A theme comes in the frames after, and the page may be drawn anew.
    await until(
      `all of ${selector} stands out, ${theme}`,
      async () => {
        const page = await (await (await this.inPage(find)).elementHandle())?.ownerFrame();
        faint =
          page === undefined || page === null ? ['the page has gone'] : await faintTexts(page, selector);
        return faint.length === 0;
      },
      FOUND_WITHIN_MS,
      () => faint.join('; '),
    );
  }

  /** Makes a gesture until what it is for is seen: one that does no harm when it is made twice. */
  async bring(what: Locator, gesture: () => Promise<unknown>): Promise<Locator> {
    const seen = first(what);
    let failure = '';
    const shown = async (): Promise<boolean> => {
      if (await seen.isVisible()) {
        return true;
      }
      failure = await gesture().then(
        () => '',
        (error: unknown) => String(error),
      );
      return failure === '' && succeeds(seen.waitFor({ timeout: AGAIN_AFTER_MS }));
    };
    await until(`${String(what)} shows`, shown, BROUGHT_WITHIN_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${failure}`, { cause: error });
    });
    return seen;
  }

  /** Clicks what goes away when the click arrives. */
  async take(locator: Locator, withinMs = FOUND_WITHIN_MS): Promise<void> {
    const seen = await this.found(locator, withinMs);
    let clicked = false;
    await until(
      `${String(locator)} is taken`,
      async () => {
        clicked = (await succeeds(seen.click({ timeout: GESTURE_MS }))) || clicked;
        return clicked && (await hides(seen));
      },
      withinMs,
    );
  }

  openView(): Promise<Locator> {
    const tab = this.page.getByRole('tab', { name: 'GPUs' });
    return this.bring(tab.and(this.page.locator('[aria-selected=true]')), () =>
      first(tab).click({ timeout: GESTURE_MS }),
    );
  }

  row(name: string | RegExp): Promise<Locator> {
    return this.found(this.page.getByRole('treeitem', { name }));
  }

  /** Its rows below it, where they are not shown already. */
  expand(name: string | RegExp): Promise<Locator> {
    const row = this.page.getByRole('treeitem', { name });
    return this.bring(row.and(this.page.locator('[aria-expanded=true]')), () =>
      first(row).click({ timeout: GESTURE_MS }),
    );
  }

  /** A button of a row, which is there while the pointer is on it. */
  rowButton(row: string | RegExp, name: string | RegExp, what: Locator): Promise<Locator> {
    const seen = first(this.page.getByRole('treeitem', { name: row }));
    return this.bring(what, async () => {
      await seen.hover({ timeout: GESTURE_MS });
      await first(seen.getByRole('button', { name })).click({ timeout: GESTURE_MS });
    });
  }

  /** Chooses from a row's menu. */
  rowMenu(row: string | RegExp, item: string, what: Locator): Promise<Locator> {
    return this.bring(what, async () => {
      await this.clear();
      await (await this.row(row)).click({ button: 'right', timeout: GESTURE_MS });
      await this.take(this.page.getByRole('menuitem', { name: item }), AGAIN_AFTER_MS);
    });
  }

  text(text: string | RegExp): Promise<Locator> {
    return this.found(this.page.getByText(text));
  }

  button(name: string | RegExp): Locator {
    return first(this.page.getByRole('button', { name }));
  }

  /** Presses a button until what it is for is seen. */
  press(name: string | RegExp, what: Locator): Promise<Locator> {
    return this.bring(what, () => this.button(name).click({ timeout: GESTURE_MS }));
  }

  /** The same with keys. */
  keys(keys: string, what: Locator): Promise<Locator> {
    return this.bring(what, () => this.page.keyboard.press(keys));
  }

  get picker(): Locator {
    return this.page.locator('.quick-input-widget').filter({ visible: true });
  }

  get #input(): Locator {
    return this.picker.locator('.quick-input-box input');
  }

  /** Waits for a quick pick's item and takes it. */
  choose(item: string | RegExp): Promise<void> {
    return this.take(this.picker.getByRole('option', { name: item }));
  }

  /** Into the picker itself: what is typed at once may still go to a webview that had the focus. */
  async type(text: string): Promise<void> {
    await (await this.found(this.#input)).fill(text);
  }

  /** Enters what is typed, and waits until it is not asked for any more. */
  async enter(text: string, asked: string | RegExp): Promise<void> {
    await this.type(text);
    const question = first(this.picker.getByText(asked));
    await until(`${text} is entered`, async () => {
      await succeeds(this.#input.press('Enter', { timeout: GESTURE_MS }));
      return hides(question);
    });
  }

  /** A file of the window's folder, by its name. */
  async open(name: string, what: Locator): Promise<void> {
    await this.#fromPicker('Control+P', name, new RegExp(escaped(name)));
    await this.found(what);
  }

  command(title: string): Promise<void> {
    return this.#fromPicker('F1', `>${title}`, new RegExp(escaped(title)));
  }

  /** From the beginning each time: an editor that takes the focus late closes the picker. */
  async #fromPicker(keys: string, text: string, item: RegExp): Promise<void> {
    const option = first(this.picker.getByRole('option', { name: item }));
    await until(
      `${text} is taken from the picker`,
      async () => {
        if (!(await this.#input.isVisible())) {
          await this.page.keyboard.press(keys);
        }
        const typed = await succeeds(this.#input.fill(text, { timeout: GESTURE_MS }));
        return typed && (await succeeds(option.click({ timeout: GESTURE_MS }))) && (await hides(option));
      },
      BROUGHT_WITHIN_MS,
    );
  }

  get dialog(): Locator {
    return this.page.locator('.monaco-dialog-box').filter({ visible: true });
  }

  /** The words on what has the focus, which is what Enter would press. */
  focused(): Promise<string> {
    return this.page.evaluate(() => document.activeElement?.textContent ?? '');
  }

  /** A dialog takes the focus a moment after it is seen. */
  async untilFocused(words: string): Promise<void> {
    let seen = '';
    const hasIt = async (): Promise<boolean> => (seen = await this.focused()) === words;
    await until(`${words} has the focus`, hasIt, FOUND_WITHIN_MS, () => seen);
  }

  answer(button: string | RegExp): Promise<void> {
    return this.take(this.dialog.getByRole('button', { name: button }));
  }

  /** Under the smoke-test driver messages do not pop up; their list shows them. */
  async notifications(): Promise<Locator> {
    const center = this.page.locator('.notifications-center');
    return this.bring(center, () =>
      this.page.locator('[id="status.notifications"]').getByRole('button').click({ timeout: GESTURE_MS }),
    );
  }

  hideNotifications(): Promise<void> {
    return this.take(this.page.getByRole('button', { name: 'Hide Notifications' }));
  }

  /** What the terminal in front shows. */
  get screen(): Locator {
    return this.page.locator('.terminal-wrapper.active .xterm-rows');
  }

  /** Types into the terminal in front, once its shell waits for it. */
  async typeInTerminal(text: string): Promise<void> {
    const screen = await this.found(this.screen);
    await until('a prompt', async () => ((await screen.textContent()) ?? '').trim() !== '');
    const input = this.page.locator('.terminal-wrapper.active .xterm-helper-textarea');
    await until('the terminal has the focus', async () => {
      await input.focus();
      return input.evaluate(element => element === element.ownerDocument.activeElement);
    });
    await this.page.keyboard.type(text);
    await this.page.keyboard.press('Enter');
  }

  /** By VS Code itself, which keeps what is open; a page that is torn away may not have kept the newest. */
  async reload(): Promise<void> {
    await this.page.evaluate(() => document.body.classList.add('before-reload'));
    // The window may go before it has answered the last click; whether it went is asked below.
    await succeeds(this.command('Developer: Reload Window'));
    await until('the window is loaded anew', () =>
      this.page.evaluate(() => !document.body.classList.contains('before-reload')).catch(() => false),
    );
    await this.page.locator('.monaco-workbench').waitFor({ timeout: FOUND_WITHIN_MS });
  }

  /** Nothing is left open that would take the next clicks: what failed half-way fails alone. Escape says no to everything. */
  async clear(): Promise<void> {
    const over = first(this.page.locator(IN_THE_WAY));
    for (let tries = 0; tries < 10 && (await over.isVisible()); tries++) {
      await this.page.keyboard.press('Escape');
      if (!(await hides(over, CLOSES_WITHIN_MS))) {
        // A menu that never got the focus does not hear keys.
        await this.page.mouse.click(1, 1);
      }
    }
  }
}
