#!/usr/bin/env node
/**
 * The program `hitch`: the command line, and (as `hitch daemon --foreground`) the daemon itself. Each is loaded only
 * where it is meant: a command starts without the store and the API, and the daemon, which stays, without commands.
 */
// A reader that has seen enough (`hitch offers | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const argv = process.argv.slice(2);
const isDaemon = argv.join(' ') === 'daemon --foreground';
if (isDaemon) {
  const memory = await import('../platform/memory.ts');
  memory.workFrugally();
  memory.forgetAllocatorSettings();
}
process.exitCode = isDaemon
  ? await (await import('./foreground.ts')).daemonInForeground()
  : await (await import('./command-line.ts')).commandLine(process.argv[1] ?? '', argv);
