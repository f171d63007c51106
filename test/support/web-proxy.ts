/** The program of `ssh` for machines that a web address alone leads to, as the daemon writes it, with the program that ships. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { proxyScript } from '@hitch/client-node/src/proxy-script.ts';

export const HITCH = fileURLToPath(new URL('../../backend-proxy/dist/hitch.mjs', import.meta.url));

/** @returns its path */
export function writeWebProxy(folder: string): string {
  const file = join(folder, 'web-proxy');
  const program = { node: process.execPath, hitch: HITCH, homeFolder: folder, environment: {} };
  writeFileSync(file, proxyScript(program, process.platform, 'ws-connect'), { mode: 0o700 });
  return file;
}
