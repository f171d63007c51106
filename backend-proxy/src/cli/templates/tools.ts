/** What commands on templates need of this computer: a Python that fetches uv, and uv. */
import { HitchError } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { homeFromEnvironment } from '@hitch/platform/src/paths.ts';
import { findPython } from '../../machines/find-python.ts';
import { runCommand, shippedUv } from '../../machines/python.ts';
import { uvFor, type Uv } from '../../machines/uv.ts';

export interface ToolsAsked {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly say: (sentence: string) => void;
}

/** @throws HitchError NOT_FOUND where this computer has none. */
export async function pythonHere({ env }: Pick<ToolsAsked, 'env'>, signal: AbortSignal): Promise<string> {
  const python = await findPython(env['HITCH_PYTHON'], runCommand, signal);
  if (python === null) {
    throw new HitchError('NOT_FOUND', 'There is no Python with pip on this computer.', {
      next: 'Install Python 3.10 or newer, or set HITCH_PYTHON.',
    });
  }
  return python;
}

/** @throws HitchError NOT_FOUND where it cannot be had. */
export async function uvHere({ env, clock, say }: ToolsAsked, signal: AbortSignal): Promise<Uv> {
  const uv = await uvFor(
    {
      python: await pythonHere({ env }, signal),
      folder: homeFromEnvironment(env).python,
      pins: shippedUv(),
      run: runCommand,
      clock,
      wait: () => say('Another process fetches uv; waiting for it.'),
    },
    signal,
  );
  if (typeof uv === 'string') {
    throw new HitchError('NOT_FOUND', `uv is needed, and there is none: ${uv}.`, {
      next: 'Check that this computer reaches its package index.',
    });
  }
  return uv;
}
