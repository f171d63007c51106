/** Files with the names of the list in a machine's work folder, as far as a file system has such names. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NASTY } from './nasty-strings.ts';

/** They are the largest, so that sentences which name three things name these. */
export const LOUDEST = [
  '[Keep](command:workbench.action.toggleSidebarVisibility)',
  '<img src=x onerror="window.pwned=1">\u001b]52;c;eA==\u0007$(zap)',
  'results\u202etxt.exe\nall is saved',
] as const;

/** As every client shows them; VS Code's links and icons are written out besides. */
export const LOUDEST_SHOWN = [
  /\[Keep\]/,
  /<img src=x onerror=.*\\u001b\]52/,
  /results\\u202etxt\.exe\\u000aall/,
] as const;

const canBeFile = (name: string): boolean =>
  name !== '' && name !== '.' && !/[/\0]/.test(name) && name.isWellFormed() && Buffer.byteLength(name) <= 255;

export function writeNastyFiles(folder: string): void {
  mkdirSync(folder, { recursive: true });
  NASTY.map(({ text }) => text)
    .filter(canBeFile)
    .forEach(name => writeFileSync(join(folder, name), 'x'));
  LOUDEST.forEach((name, index) =>
    writeFileSync(join(folder, name), Buffer.alloc(3_000_000 - index * 1_000_000, 'x')),
  );
}

/** What a page must not show of a stranger's text. */
export const HIDDEN_ON_PAGE =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
