// Packages of the operating system, where they can be had without asking anybody: on Debian as root.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { run } from './progress.mjs';

export const canAptInstall = () =>
  process.getuid?.() === 0 &&
  existsSync('/etc/debian_version') &&
  spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;

/**
 * A list of packages that is missing or too old is fetched first. Whether it worked, the caller sees by what is there.
 * @param {import('./progress.mjs').Say} say @param {readonly string[]} packages
 */
export async function aptInstall(say, packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  say(`apt-get install ${packages.join(' ')}`);
  if ((await run('apt-get', install, { say, env })).code === 0) return;
  await run('apt-get', ['update'], { say, env });
  await run('apt-get', install, { say, env });
}
