/** Machines that lie, in a home of their own: clusters whose name begins with `liar` get the liar as their agent. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { agentContract, type Cluster } from '@hitch/contract';
import {
  type AnyContractRouter,
  type AnySchema,
  getEventIteratorSchemaDetails,
  isContractProcedure,
} from '@orpc/contract';
import * as z from 'zod';
import { FRUGAL_FLAGS } from '@hitch/platform/src/memory.ts';
import { HITCH_PROGRAM } from '../daemon-home.ts';
import type { HomeOnDisk } from '../home-on-disk.ts';
import type { HonestAnswer, Lie, Route } from './lie.ts';
import { type Known, sampleOf } from './sample.ts';

const CACHE = fileURLToPath(new URL('../../../.cache', import.meta.url));
const LIAR = new URL('./liar-agent.ts', import.meta.url).href;

const supervised = { state: 'running', pid: 1, restarts: 0, message: '' };
/** What an honest answer to the questions of the test says. */
const KNOWN: Known = {
  nodeId: '$nodeId',
  ref: '$ref',
  kernelId: 'kernel-1',
  path: 'asked.txt',
  jupyter: supervised,
  engine: { ...supervised, headAddress: '127.0.0.1:1', nodesAlive: 1, rayVersion: '2.58.0' },
  watchdog: { state: 'armed', reason: 'none', idleSinceMs: null, activity: ['busy'], stopAtMs: null },
  cellId: null,
  workFolder: '/work',
  message: '',
  // Else each machine of these tests would warn of it.
  memoryWarning: undefined,
  hostKey: '',
  user: '',
  name: 'asked.txt',
};
/** A job that runs, and has printed three bytes. */
const JOB: Known = {
  id: '$jobId',
  state: 'running',
  number: 1,
  endedAtMs: null,
  cause: null,
  exitCode: null,
  signal: null,
  endByte: 3,
  droppedBytes: 0,
};
/** Fields of the same name that mean something else on a route. */
const KNOWN_ON: Readonly<Record<string, Known>> = {
  'jobs.start': JOB,
  'jobs.list': JOB,
  'jobs.get': JOB,
  'jobs.stop': JOB,
  'jobs.log': { run: 1, from: 0, data: 'YWIK', next: 3, endByte: 3, isOver: false },
  // One point: what its four numbers say is told by no schema.
  'jobs.metrics': {
    ...{ run: 1, series: [{ name: 'loss', source: 'output' }], from: 0, next: 1, end: 1 },
    ...{ data: 'AAAAAAAAAAAAAAAAAADwPwAAAAAAQI9AAAAAAAAA4D8=', notes: [], isOver: false },
  },
  // A value for each moment, which no schema says.
  use: { more: false },
  'jobs.search': { run: 1, at: 0, next: null },
  'terminals.list': { name: 'main' },
  'terminals.create': { name: 'main' },
};

export interface HonestRoute extends Route {
  readonly honest: unknown;
}

const isSchema = (value: unknown): value is AnySchema =>
  typeof value === 'object' && value !== null && '~standard' in value;

/** Every route of the agent's contract, with an honest answer. @throws Error for one that no answer can be made for. */
export function honestRoutes(
  contract: AnyContractRouter = agentContract,
  at: readonly string[] = [],
): HonestRoute[] {
  if (isContractProcedure(contract)) {
    const { route } = contract['~orpc'];
    const schema: unknown = contract['~orpc'].outputSchema;
    const name = at.join('.');
    const { yields } = (isSchema(schema) ? getEventIteratorSchemaDetails(schema) : undefined) ?? {};
    const honest = sampleOf(yields ?? schema, { ...KNOWN, ...KNOWN_ON[name] });
    return [
      {
        name,
        method: route.method ?? 'POST',
        path: route.path ?? '',
        isStream: yields !== undefined,
        honest,
      },
    ];
  }
  return Object.entries(contract).flatMap(([name, inner]) => honestRoutes(inner, [...at, name]));
}

const asAnswers = (routes: readonly HonestRoute[]): readonly HonestAnswer[] =>
  routes.map(({ honest, ...route }) => ({ ...route, text: JSON.stringify(honest) }));

/** Its Ray has not started, however often it is told to. */
const waitsForRay = (routes: readonly HonestRoute[]): readonly HonestRoute[] =>
  routes.map(route =>
    route.name === 'watch'
      ? {
          ...route,
          honest: {
            ...Object(route.honest),
            engine: { ...supervised, state: 'off', headAddress: null, nodesAlive: null, rayVersion: null },
          },
        }
      : route,
  );

/**
 * The programs that people run, with another agent beside them. They stay inside the repository, where the packages are.
 */
export class LiarProgram {
  readonly #folder: string;

  constructor(routes: readonly HonestRoute[]) {
    mkdirSync(CACHE, { recursive: true });
    this.#folder = mkdtempSync(join(CACHE, 'liar-'));
    cpSync(dirname(HITCH_PROGRAM), this.#folder, { recursive: true });
    const place = (name: string): string => join(this.#folder, name);
    renameSync(place('agent.mjs'), place('honest-agent.mjs'));
    writeFileSync(place('honest.json'), JSON.stringify(asAnswers(routes)));
    writeFileSync(place('honest-ray.json'), JSON.stringify(asAnswers(waitsForRay(routes))));
    writeFileSync(place('agent.mjs'), CHOOSER);
  }

  get daemon(): readonly string[] {
    return [...FRUGAL_FLAGS, join(this.#folder, 'hitch.mjs'), 'daemon', '--foreground'];
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const CHOOSER = `import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
const config = process.argv[process.argv.indexOf('--config') + 1];
const { clusterName } = JSON.parse(readFileSync(config, 'utf8'));
if (clusterName.startsWith('liar')) {
  const name = clusterName.startsWith('liar-ray') ? './honest-ray.json' : './honest.json';
  const { lie } = await import(${JSON.stringify(LIAR)});
  lie(config, fileURLToPath(new URL(name, import.meta.url)));
} else {
  await import('./honest-agent.mjs');
}
`;

const configSchema = z.object({ listen: z.string() });
const leftSchema = z.object({ told: z.number(), left: z.record(z.string(), z.number()) });

/** The liar on a cluster's machine. */
export class Liar {
  readonly #socketPath: string;

  constructor(home: HomeOnDisk, { nodes }: Cluster) {
    const ref = nodes[0]?.attempts.at(-1)?.ref ?? '';
    const config = readFileSync(join(home.machineFolder(ref), 'agent-config.json'), 'utf8');
    this.#socketPath = configSchema.parse(JSON.parse(config)).listen;
  }

  /** Has it answer the next questions on this route with these. */
  async tell(route: string, lies: readonly Lie[]): Promise<void> {
    await this.#ask('POST', JSON.stringify({ route, lies }));
  }

  /** How many lies it has told. */
  async told(): Promise<number> {
    return (await this.#ask('GET')).told;
  }

  /** How many it has still to tell on this route. */
  async left(route: string): Promise<number> {
    return (await this.#ask('GET')).left[route] ?? 0;
  }

  async #ask(method: string, body?: string): Promise<z.infer<typeof leftSchema>> {
    const answer = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
      const sent = request({ socketPath: this.#socketPath, path: '/liar', method, agent: false }, resolve);
      sent.once('error', reject);
      sent.end(body);
    });
    return leftSchema.parse(JSON.parse(await text(answer)));
  }
}
