// OpenSSH's client and server for the tests of remote workspaces. Installed where that needs nobody's leave (Debian as
// root) and starts nothing: with systemd there the package's own server would listen to the world from then on. Anywhere
// else those tests skip themselves and say what to install.
import { existsSync } from 'node:fs';
import { aptInstall, canAptInstall } from './apt.mjs';

const programs = ['/usr/bin/ssh', '/usr/bin/scp', '/usr/sbin/sshd'];

const startsServices = () => existsSync('/run/systemd/system');

export const opensshIsReady = () =>
  programs.every(program => existsSync(program)) || startsServices() || !canAptInstall();

/** @param {import('./progress.mjs').Say} say */
export const installOpenssh = say => aptInstall(say, ['openssh-client', 'openssh-server']);
