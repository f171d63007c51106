// OpenSSH's client and server for the tests of remote workspaces. Installed where that needs nobody's leave (Debian as
// root) and starts nothing: with systemd there the package's own server would listen to the world from then on. Anywhere
// else those tests skip themselves and say what to install.
import { existsSync } from 'node:fs';
import { run } from './progress.mjs';
import { canAptInstall } from './python.mjs';

const programs = ['/usr/bin/ssh', '/usr/bin/scp', '/usr/sbin/sshd'];

const startsServices = () => existsSync('/run/systemd/system');

export const opensshIsReady = () =>
  programs.every(program => existsSync(program)) || startsServices() || !canAptInstall();

/** @param {import('./progress.mjs').Say} say */
export async function installOpenssh(say) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '--no-install-recommends', 'openssh-client', 'openssh-server'];
  say('apt-get install openssh-client openssh-server');
  if ((await run('apt-get', install, { say, env })).code === 0) return;
  await run('apt-get', ['update'], { say, env });
  await run('apt-get', install, { say, env });
}
