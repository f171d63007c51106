// nftables for the tests of machines that close their ports. Installed where that needs nobody's leave (Debian as root), and
// not where systemd would have its service to keep. Anywhere else those tests skip themselves and say what to install.
import { existsSync } from 'node:fs';
import { aptInstall, canAptInstall } from './apt.mjs';

const programs = ['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft'];

export const nftablesIsReady = () =>
  programs.some(program => existsSync(program)) || existsSync('/run/systemd/system') || !canAptInstall();

/** @param {import('./progress.mjs').Say} say */
export const installNftables = say => aptInstall(say, ['nftables']);
