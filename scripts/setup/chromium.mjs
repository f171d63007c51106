// A browser for the tests of the two editors. Installed where that needs nobody's leave (Debian as root); anywhere else
// those tests skip themselves and say what to install.
import { existsSync } from 'node:fs';
import { aptInstall, canAptInstall } from './apt.mjs';

const places = [
  process.env['HITCH_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** @returns {string | undefined} the program of a Chromium that is installed */
export const findChromium = () => places.find(place => place !== undefined && existsSync(place));

export const chromiumIsReady = () => findChromium() !== undefined || !canAptInstall();

/**
 * Without it the tests that need a browser skip themselves; everything else still runs.
 * @param {import('./progress.mjs').Say} say
 */
export const installChromium = say => aptInstall(say, ['chromium', 'fonts-dejavu-core']);
