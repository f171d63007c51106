/** A real browser for the tests of the two editors. */
import type { Context } from 'mocha';
import { type Browser, chromium } from 'playwright-core';
import { skip } from './processes.ts';

/** Its program, as whoever started the tests found it; undefined where there is none. */
export const findChromium = (): string | undefined => process.env['HITCH_CHROMIUM'] || undefined;

/** Its program. Where there is none, skips the suite and says what to install. */
export function chromiumOrSkip(context: Context): string {
  const executable = findChromium();
  if (executable === undefined) {
    skip(context, 'there is no Chromium: install Chromium, Chrome or Edge, or name one in HITCH_CHROMIUM');
  }
  return executable ?? '';
}

export const launchChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    timeout: 120_000,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
