// A browser for the tests of the two editors. Installed where that needs nobody's leave (Debian as root); anywhere else
// those tests skip themselves and say what to install.
import { existsSync } from 'node:fs';
import { run } from './progress.mjs';
import { canAptInstall } from './python.mjs';

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

/** @param {import('./progress.mjs').Say} say */
export async function installChromium(say) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'];
  say('apt-get install chromium');
  if ((await run('apt-get', install, { say, env })).code === 0) return;
  await run('apt-get', ['update'], { say, env });
  // Without it the tests that need a browser skip themselves; everything else still runs.
  await run('apt-get', install, { say, env });
}
