/** What jobs of this node stand on: its Python environment, and on a cluster with Ray a Ray that is up. */
import type { AgentConfig } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { NodeEnvironment } from '../environment/environment.ts';
import type { RayEngine } from '../ray/ray.ts';
import type { JobPlace } from './job-place.ts';

export interface GroundOptions {
  readonly config: Pick<AgentConfig, 'secrets'>;
  readonly clock: Clock;
  readonly environment: Pick<NodeEnvironment, 'ready' | 'variables'>;
  readonly ray: Pick<RayEngine, 'state' | 'clientVariables'>;
}

const LOOK_EVERY_MS = 250;

/** A job that began before its Ray would start a Ray of its own, on one machine of several. */
export function jobGround({ config, clock, environment, ray }: GroundOptions): JobPlace['ready'] {
  return async (engine, wait, signal) => {
    const python = await environment.ready();
    // A head is told of its engine after its notebook is up.
    const coming = engine === 'ray' ? ['off', 'starting', 'restarting'] : [];
    while (coming.includes(ray.state.state)) {
      wait('Waiting for Ray.');
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
    if (engine === 'ray' && ray.state.state === 'failed') {
      throw new Error(`Ray does not run on this machine: ${ray.state.message}`);
    }
    signal.throwIfAborted();
    return {
      python,
      variables: {
        ...environment.variables,
        ...ray.clientVariables,
        ...config.secrets,
        // What it prints is followed, and must not lie in a buffer when it is killed.
        PYTHONUNBUFFERED: '1',
      },
    };
  };
}
