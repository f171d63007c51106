#!/usr/bin/env node
/**
 * The program `hitch`: the command line, and (as `hitch daemon --foreground`) the daemon itself. Each is loaded only
 * where it is meant: a command starts without the store and the API, the daemon, which stays, without commands, and
 * `hitch ssh-proxy` and `hitch ws-connect`, which `ssh` waits for, without either.
 */
import { keepLoopbackDirect } from '@hitch/platform/src/loopback.ts';
import type { ExitCode } from './exit-codes.ts';

const argv = process.argv.slice(2);
const program = process.argv[1] ?? '';

async function daemon(): Promise<ExitCode> {
  (await import('@hitch/platform/src/memory.ts')).forgetAllocatorSettings();
  return (await import('./foreground.ts')).daemonInForeground();
}

async function run(): Promise<ExitCode> {
  const [command, alias, file] = argv;
  if (command === 'ssh-proxy' && argv.length === 2 && alias?.startsWith('-') === false) {
    return (await import('./ssh-proxy.ts')).sshProxy(program, alias);
  }
  if (command === 'ws-connect' && argv.length === 3 && alias?.startsWith('-') === false) {
    return (await import('./ws-connect.ts')).wsConnect(alias, file ?? '');
  }
  // A reader that has seen enough (`hitch offers | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  if (argv.join(' ') === 'daemon --foreground') {
    return daemon();
  }
  const { lastWords } = await import('./last-words.ts');
  // Also of a listener that threw; Node would show its source.
  process.on('uncaughtException', lastWords);
  return (await import('./command-line.ts')).commandLine(program, argv);
}

keepLoopbackDirect();
process.exitCode = await run();
