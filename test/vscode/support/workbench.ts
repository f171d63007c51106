/** A page of VS Code's workbench, and the gestures of a person in it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { until } from '../../support/waiting.ts';

const FOUND_WITHIN_MS = 60_000;

/** Settings of the page's user: quiet, and following the browser's colour scheme. */
export function writeUserSettings(data: string): void {
  const folder = join(data, 'data', 'User');
  mkdirSync(folder, { recursive: true });
  const settings = {
    'window.autoDetectColorScheme': true,
    'workbench.startupEditor': 'none',
    'chat.disableAIFeatures': true,
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'workbench.tips.enabled': false,
    'telemetry.telemetryLevel': 'off',
    // What a terminal shows is then text on the page.
    'terminal.integrated.gpuAcceleration': 'off',
    'git.openRepositoryInParentFolders': 'never',
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
}

export class Workbench {
  readonly page: Page;
  readonly #pictures: string;

  constructor(page: Page, pictures: string) {
    this.page = page;
    this.#pictures = pictures;
    mkdirSync(pictures, { recursive: true });
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

  /** The same in high contrast, where VS Code follows the system. */
  async contrast(name: string): Promise<void> {
    await this.page.emulateMedia({ colorScheme: 'dark', forcedColors: 'active' });
    await this.page.waitForTimeout(700);
    await this.page.screenshot({ path: join(this.#pictures, `${name}-contrast.png`) });
    await this.page.emulateMedia({ colorScheme: 'light', forcedColors: 'none' });
  }

  /** The frame of a webview that shows this. */
  async inPage(selector: string): Promise<Locator> {
    return until(`a page shows ${selector}`, async () => {
      for (const frame of this.page.frames()) {
        const found = frame.locator(selector);
        if ((await found.count().catch(() => 0)) > 0) {
          return found.first();
        }
      }
      return null;
    });
  }

  async #found(locator: Locator): Promise<Locator> {
    await locator.waitFor({ timeout: FOUND_WITHIN_MS });
    return locator;
  }

  async openView(): Promise<void> {
    await (await this.#found(this.page.getByRole('tab', { name: 'GPUs' }))).click();
  }

  row(name: string | RegExp): Promise<Locator> {
    return this.#found(this.page.getByRole('treeitem', { name }).first());
  }

  text(text: string | RegExp): Promise<Locator> {
    return this.#found(this.page.getByText(text).first());
  }

  async click(name: string | RegExp): Promise<void> {
    await (await this.#found(this.page.getByRole('button', { name }).first())).click();
  }

  get picker(): Locator {
    return this.page.locator('.quick-input-widget');
  }

  /** Waits for a quick pick's item and takes it. */
  async choose(item: string | RegExp): Promise<void> {
    await (await this.#found(this.picker.getByRole('option', { name: item }).first())).click();
  }

  get dialog(): Locator {
    return this.page.locator('.monaco-dialog-box');
  }

  async answer(button: string | RegExp): Promise<void> {
    await (await this.#found(this.dialog.getByRole('button', { name: button }))).click();
  }

  /** By VS Code itself, which keeps what is open; a page that is torn away may not have kept the newest. */
  async reload(): Promise<void> {
    await this.page.evaluate(() => document.body.classList.add('before-reload'));
    await this.command('Developer: Reload Window');
    await until('the window is loaded anew', () =>
      this.page.evaluate(() => !document.body.classList.contains('before-reload')).catch(() => false),
    );
    await this.page.locator('.monaco-workbench').waitFor({ timeout: FOUND_WITHIN_MS });
  }

  /** Into the picker itself: what is typed at once may still go to a webview that had the focus. */
  async type(text: string): Promise<void> {
    await (await this.#found(this.picker.locator('.quick-input-box input').first())).fill(text);
  }

  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    await this.type(`>${title}`);
    await this.choose(new RegExp(title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  }
}
