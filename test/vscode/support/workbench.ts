/** A page of VS Code's workbench, and the gestures of a person in it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';

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

  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    await this.picker.waitFor({ timeout: FOUND_WITHIN_MS });
    await this.page.keyboard.type(title);
    await this.choose(new RegExp(title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  }
}
