/**
 * What stands in `ssh`'s ProxyCommand starts the Hitch that was there when the daemon started. When that copy was moved or
 * removed meanwhile and the daemon lives on, the next copy that meets it puts itself in its place.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programIn, proxyName, type ProxyProgram, proxyScript } from './proxy-script.ts';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Home } from '@hitch/platform/src/paths.ts';

/** @param program of the copy that is here, with what it would start a daemon with. */
export function mendProxy(
  home: Home,
  program: Omit<ProxyProgram, 'homeFolder'>,
  platform: NodeJS.Platform = process.platform,
): void {
  const file = join(home.ssh, proxyName(platform));
  let script: string;
  try {
    script = readFileSync(file, 'utf8');
  } catch {
    // The daemon writes it when it starts.
    return;
  }
  const named = programIn(script);
  if (named === null || existsSync(named) || !existsSync(program.hitch)) {
    return;
  }
  try {
    writeFileAtomic(file, proxyScript({ ...program, homeFolder: home.root }, platform), 0o700);
  } catch {
    // The old one says itself what is wrong with it.
  }
}
