/**
 * `hitch ssh-proxy <alias>`: what stands between `ssh` and a machine's sshd. It carries bytes and nothing else. It needs
 * no more than Hitch's folder: where the daemon is away it is started, and where the machine is not reached yet it is
 * waited for, so that an editor's window that comes back after a night finds its way by itself.
 */
import type { Socket } from 'node:net';
import { HitchError } from '@hitch/contract';
import { type FoundDaemon, findDaemon } from '@hitch/client-node/src/find.ts';
import { systemClock, type Timer } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { type Home, homeFromEnvironment } from '@hitch/platform/src/paths.ts';
import { EXIT, exitCodeOf, type ExitCode } from './exit-codes.ts';
import { LOOK_EVERY_MS, wasUsed } from './ssh-use.ts';
import { say, sshStreams } from './ssh-streams.ts';
import { noteUse, openWay } from './ssh-way.ts';

/** A daemon that was just started has to find its machines first. */
const WAIT_MS = 60_000;
const LOOK_AGAIN_MS = 500;

/** @param program the file of `hitch`, which is started again as the daemon. */
export async function sshProxy(program: string, alias: string): Promise<ExitCode> {
  const home = homeFromEnvironment();
  if (process.stdin.isTTY) {
    say('hitch ssh-proxy speaks with ssh, not with people.', `Type: ssh -F ${home.ssh}/config ${alias}`);
    return EXIT.usage;
  }
  const deadline = systemClock.monotonic() + WAIT_MS;
  for (let told = false; ; told = true) {
    let daemon: FoundDaemon;
    try {
      daemon = await daemonOf(home, program);
    } catch (error) {
      say(errorText(error), error instanceof HitchError ? error.next : undefined);
      return EXIT.daemon;
    }
    const way = await openWay(daemon, alias);
    if ('socket' in way) {
      const watching = watchUse(home, alias, way.socket);
      return join(way.socket, way.head, alias).finally(() => watching.cancel());
    }
    const { code, message, next } = way.refused;
    const mayPass = code === 'UNREACHABLE' || code === 'UNAUTHORIZED';
    if (!mayPass || systemClock.monotonic() > deadline) {
      say(message, next);
      return exitCodeOf(code);
    }
    if (!told) {
      say(`${message} Waiting for it.`);
    }
    await systemClock.sleep(LOOK_AGAIN_MS);
  }
}

/** Any daemon of this home will do, older or newer; starting one is loaded only where there is none. */
async function daemonOf(home: Home, program: string): Promise<FoundDaemon> {
  const found = await findDaemon(home);
  if (found !== null) {
    return found;
  }
  const { ensureDaemon } = await import('@hitch/client-node/src/connect.ts');
  return ensureDaemon(home, { command: process.execPath, args: [program, 'daemon', '--foreground'] });
}

/** The machine sees no more than that somebody is connected; an idle one ends. */
function watchUse(home: Home, alias: string, socket: Socket): Timer {
  let before = { up: 0, down: 0 };
  let timer: Timer;
  const look = (): void => {
    const now = { up: socket.bytesWritten, down: socket.bytesRead };
    if (wasUsed(before, now)) {
      // Looked for anew: the daemon may be another one by now.
      void findDaemon(home).then(daemon => (daemon === null ? undefined : noteUse(daemon, alias)));
    }
    before = now;
    timer = systemClock.setTimer(look, LOOK_EVERY_MS);
  };
  timer = systemClock.setTimer(look, LOOK_EVERY_MS);
  return { cancel: () => timer.cancel() };
}

/** Until either side ends. What was received is passed on to its last byte. */
async function join(socket: Socket, head: Buffer, alias: string): Promise<ExitCode> {
  const { input, output } = sshStreams();
  const over = new Promise<'ended' | 'broke'>(resolve => {
    const ended = (): void => resolve('ended');
    output.once('finish', ended).once('error', ended).once('close', ended);
    socket.once('error', () => resolve('broke'));
  });
  if (head.length > 0) {
    output.write(head);
  }
  input.on('error', () => socket.end());
  input.pipe(socket);
  socket.pipe(output);
  const end = await over;
  input.destroy();
  socket.destroy();
  if (end === 'broke') {
    say(`The connection to ${alias} broke; programs there keep running.`);
    return EXIT.unreachable;
  }
  return EXIT.ok;
}
