/**
 * `npm run simulators -- --seed S --limits --port P`: all simulated networks over HTTP on this computer until Ctrl-C, for
 * people and for the networks' own clients. The first listens on `P`, the others on the ports behind it; without it each
 * takes one that is free.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { type KnownSimulator, SIMULATORS, urlVariable } from './all.ts';
import { Faults } from './frame/faults.ts';
import { serveSimulator } from './frame/server.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, port: { type: 'string' }, limits: { type: 'boolean' } },
});
const seed = wholeNumber('seed', values.seed ?? '1');
const port = wholeNumber('port', values.port ?? '0');

function wholeNumber(name: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) {
    process.stderr.write(`--${name} takes a whole number, not "${text}".\n`);
    process.exit(2);
  }
  return Number(text);
}

interface Served {
  readonly known: KnownSimulator;
  readonly url: string;
}

const lines = (served: readonly Served[]): string => {
  const ids = served.map(({ known }) => known.id).join(',');
  const urls = served.map(({ known, url }) => `${urlVariable(known.id)}=${url}`).join(' ');
  return [
    'Simulated networks, until Ctrl-C: nothing is charged, and the machines are records that nothing stands behind.',
    ...served.map(
      ({ known, url }) =>
        `  ${known.title.padEnd(16)} ${url}   ${known.key === null ? 'no login' : `key ${known.key}`}`,
    ),
    '',
    'Hitch, in a home of its own:',
    `  alias hitch='"${join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'hitch')}"'`,
    `  export HITCH_HOME=$(mktemp -d) HITCH_PROVIDERS=${ids} ${urls}`,
    ...served.flatMap(({ known: { id, key } }) =>
      key === null ? [] : [`  printf %s ${key} | hitch networks login ${id} --from-stdin`],
    ),
    '  hitch offers',
    'The networks’ own clients, where you have them:',
    ...served.flatMap(({ known, url }) => known.ownClients(url).map(line => `  ${line}`)),
    '',
  ].join('\n');
};

const close = new AsyncDisposableStack();
const served: Served[] = [];
for (const [place, known] of SIMULATORS.entries()) {
  const simulator = known.build({ clock: systemClock, seed, limits: values.limits === true });
  close.defer(() => simulator.close());
  const server = await serveSimulator(simulator, {
    clock: systemClock,
    faults: new Faults([], () => 1),
    ...(port === 0 ? {} : { port: port + place }),
    heard: ({ method, path }, status) => {
      process.stdout.write(`${known.id} ${method} ${path} ${status.toString()}\n`);
    },
  });
  close.use(server);
  served.push({ known, url: server.url });
}
process.stdout.write(`${lines(served)}\n`);
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
await close.disposeAsync();
