/** The person's browser, as the desktop opens it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';

/** A desktop's opener hands on and ends, or is the browser itself and stays. */
const STARTED_AFTER_MS = 2_000;

export interface BrowserPlace {
  /** Of the user's own. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly platform?: string;
}

/**
 * Opens an address that holds a code. It goes there by a file that only this user can read, since arguments of programs are
 * for every user of a computer to see; Jupyter Server does the same (`_write_browser_open_file` in its `serverapp.py`).
 *
 * @returns whether a browser was found, as far as the desktop says.
 */
export async function openInBrowser(
  url: string,
  { folder, env, clock, platform = process.platform }: BrowserPlace,
): Promise<boolean> {
  const [program, ...args] = opener(platform, env);
  if (program === undefined) {
    return false;
  }
  const file = join(folder, 'open.html');
  const address = url.replace(/[&"<>]/g, sign => `&#${sign.charCodeAt(0).toString()};`);
  writeFileAtomic(
    file,
    `<!doctype html>\n<meta charset="utf-8">\n<title>Hitch</title>\n<meta http-equiv="refresh" content="0;url=${address}">\n<a href="${address}">Open it</a>\n`,
  );
  return new Promise(resolve => {
    const child = spawn(program, [...args, file], { stdio: 'ignore', detached: true });
    const timer = clock.setTimer(() => resolve(true), STARTED_AFTER_MS);
    child.once('error', () => resolve(false));
    child.once('exit', code => resolve(code === 0));
    child.once('close', () => timer.cancel());
    child.unref();
  });
}

/** Nothing where there is no screen: a browser in the terminal would take the place of the command. */
function opener(platform: string, env: NodeJS.ProcessEnv): readonly string[] {
  switch (platform) {
    case 'darwin':
      return ['open'];
    case 'win32':
      return ['rundll32', 'url.dll,FileProtocolHandler'];
    default:
      return env['DISPLAY'] === undefined && env['WAYLAND_DISPLAY'] === undefined ? [] : ['xdg-open'];
  }
}
