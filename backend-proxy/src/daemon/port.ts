/** The daemon's port: chosen once and kept, so that addresses in editors and notebooks stay good. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HitchError } from '@hitch/contract';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { Home } from '@hitch/platform/src/paths.ts';

const portFile = (home: Home) => join(home.root, 'port');

function keptPort(home: Home): number | null {
  try {
    const port = Number(readFileSync(portFile(home), 'utf8').trim());
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
  } catch {
    return null;
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';

/**
 * Listens on the kept port; the first time, or when a stranger sits there, on a free one, which is kept from then on.
 * @throws HitchError when no port at all can be listened on.
 */
export async function listenOnKeptPort(
  home: Home,
  listen: (port: number) => Promise<number>,
  log: Log,
): Promise<number> {
  const kept = keptPort(home);
  if (kept !== null) {
    try {
      return await listen(kept);
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE' && codeOf(error) !== 'EACCES') {
        throw cannotListen(error);
      }
      log.warn('The kept port is taken by another program; choosing another', { port: kept });
    }
  }
  let port: number;
  try {
    port = await listen(0);
  } catch (error) {
    throw cannotListen(error);
  }
  try {
    writeFileAtomic(portFile(home), `${port}\n`);
    log.info('Keeping a port', { port });
  } catch (error) {
    // Only the next daemon will be somewhere else.
    log.warn('The port cannot be kept', { port, error: errorText(error) });
  }
  return port;
}

function cannotListen(error: unknown): HitchError {
  return new HitchError('INTERNAL', `Cannot listen on 127.0.0.1: ${codeOf(error)}.`, {
    next: 'Check that the loopback interface is up and that a firewall does not forbid it.',
    cause: error,
  });
}
