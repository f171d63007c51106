#!/usr/bin/env node
/**
 * The program `hitch`: the command line, and (as `hitch daemon --foreground`) the daemon itself. Each is loaded only
 * where it is meant: a command starts without the store and the API, and the daemon, which stays, without commands.
 */
import { setFlagsFromString } from 'node:v8';

// Before anything else is loaded: what lives for a moment while modules load would make the young generation grow to
// 16 MB, which the daemon then keeps. It stays at its first size.
setFlagsFromString('--semi-space-growth-factor=1');

// A reader that has seen enough (`hitch offers | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const argv = process.argv.slice(2);
process.exitCode =
  argv.join(' ') === 'daemon --foreground'
    ? await (await import('./foreground.ts')).daemonInForeground()
    : await (await import('./command-line.ts')).commandLine(process.argv[1] ?? '', argv);
