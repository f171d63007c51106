/** A daemon that rents a machine, starts its agent and is killed the hard way, all by itself. */
import { homeAt } from '@hitch/platform/src/paths.ts';
import { machinesIn, specFor } from '../rig.ts';

const [folder = '', ref = '', bundlePath = '', config = ''] = process.argv.slice(2);
const machines = machinesIn(homeAt(folder));
machines.create(specFor(ref));
await machines.host(ref).startAgent({ bundlePath, config }, new AbortController().signal);
process.kill(process.pid, 'SIGKILL');
