/**
 * Our reading of Akash held against what it publishes: its manifests, the hash that its chain takes of one, and the OpenAPI document
 * of its console, with what our adapter asks and what our simulator answers.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import Ajv from 'ajv';
import { parse } from 'yaml';
import * as z from 'zod';
import { AkashProvider } from '../../../backend-proxy/src/providers/akash/akash-provider.ts';
import { workloadOf } from '../../../backend-proxy/src/providers/akash/machine.ts';
import {
  hashOf,
  manifestOf,
  sdlOf,
  sortedJson,
  type Workload,
} from '../../../backend-proxy/src/providers/akash/workload.ts';
import { aRequest, signal } from '../../contract/provider-rig.ts';
import { Faults } from '../frame/faults.ts';
import type { SimAnswer, SimRequest, Simulator } from '../frame/simulator.ts';
import { transportTo } from '../frame/transport.ts';
import { AKASH_KEY, type AkashOptions, AkashSimulator } from './akash-simulator.ts';
import { manifestText, readSdl } from './sdl.ts';

const PUBLISHED = new URL('published/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, PUBLISHED), 'utf8');
/** Of those of 2.0 the simulator does not know leased addresses, and says so. */
const UNKNOWN = ['ip-endpoint'];
const FIXTURES = readdirSync(new URL('sdl/', PUBLISHED)).filter(name => !UNKNOWN.includes(name));

describe('Akash’s published manifests', () => {
  for (const name of FIXTURES) {
    it(`are what the simulator makes of their SDLs: ${name}`, () => {
      const found = readSdl(read(`sdl/${name}/input.yaml`));
      assert.ok('sdl' in found, 'problem' in found ? found.problem : '');
      const made = manifestText(found.sdl);
      assert.deepEqual(JSON.parse(made), JSON.parse(read(`sdl/${name}/manifest.json`)));
    });
  }

  it('with what the simulator does not know are refused by it, and not made otherwise', () => {
    for (const name of UNKNOWN) {
      assert.ok('problem' in readSdl(read(`sdl/${name}/input.yaml`)), name);
    }
  });

  for (const name of ['gpu-basic', 'placement', 'port-ranges']) {
    it(`are what the adapter makes, of one service in one place: ${name}`, () => {
      const { workload, names } = oneService(parse(read(`sdl/${name}/input.yaml`)));
      assert.equal(manifestOf(workload, names), sortedJson(JSON.parse(read(`sdl/${name}/manifest.json`))));
    });
  }

  it('have the hash that its SDK takes of the same text', () => {
    // `Basic SDL` of `ts/src/sdl/manifest/__snapshots__/generateManifestVersion.spec.ts.snap` of akash-network/chain-sdk.
    const tetris: Workload = {
      image: 'bsord/tetris',
      command: null,
      args: null,
      env: null,
      cpuMillis: 1000,
      memoryMiB: 512,
      diskMiB: 512,
      gpu: null,
      ports: [{ port: 80, as: 80, proto: 'TCP' }],
    };
    const bytes = [
      238, 82, 227, 41, 170, 69, 176, 99, 140, 39, 6, 93, 82, 235, 13, 201, 47, 103, 4, 25, 75, 198, 60, 100,
      53, 197, 111, 181, 73, 221, 237, 125,
    ];
    const manifest = manifestOf(tetris, { service: 'tetris', placement: 'akash' });
    assert.equal(hashOf(manifest), Buffer.from(bytes).toString('hex'));
  });
});

const sizeSchema = z
  .string()
  .regex(/^\d+[MG]i$/)
  .transform(size => parseInt(size) * (size.endsWith('Gi') ? 1024 : 1));
const one = <Schema extends z.ZodType>(schema: Schema) =>
  z.record(z.string(), schema).transform((all, context) => {
    const [entry, ...more] = Object.entries(all);
    if (entry === undefined || more.length > 0) {
      context.addIssue({ code: 'custom', message: 'more or less than one' });
      return z.NEVER;
    }
    return { name: entry[0], value: entry[1] };
  });
const oneServiceSchema = z.object({
  services: one(
    z.object({
      image: z.string(),
      expose: z.array(
        z.object({ port: z.number(), as: z.number(), proto: z.enum(['tcp', 'udp']).default('tcp') }),
      ),
    }),
  ),
  profiles: z.object({
    compute: one(
      z.object({
        resources: z.object({
          cpu: z.object({ units: z.string().regex(/^\d+m$/) }),
          memory: z.object({ size: sizeSchema }),
          storage: z.object({ size: sizeSchema }),
          gpu: z
            .object({
              units: z.number(),
              attributes: z.object({ vendor: one(z.array(z.object({ model: z.string() })).length(1)) }),
            })
            .optional(),
        }),
      }),
    ),
    placement: one(z.unknown()),
  }),
});

/** What an SDL of one service asks for, in the adapter's words. */
function oneService(value: unknown) {
  const { services, profiles } = oneServiceSchema.parse(value);
  const { cpu, memory, storage, gpu } = profiles.compute.value.resources;
  const vendor = gpu?.attributes.vendor;
  const workload: Workload = {
    image: services.value.image,
    command: null,
    args: null,
    env: null,
    cpuMillis: parseInt(cpu.units),
    memoryMiB: memory.size,
    diskMiB: storage.size,
    gpu:
      gpu === undefined || vendor === undefined
        ? null
        : {
            count: gpu.units,
            vendor: vendor.name,
            model: vendor.value[0]?.model ?? '',
            ram: null,
            socket: null,
          },
    ports: services.value.expose.map(({ port, as, proto }) => ({
      port,
      as,
      proto: proto === 'tcp' ? 'TCP' : 'UDP',
    })),
  };
  return { workload, names: { service: services.name, placement: profiles.placement.name } };
}

interface Heard {
  readonly request: SimRequest;
  readonly answer: SimAnswer;
}

/** A simulator of which all that is said is kept. */
function heard(options: Omit<AkashOptions, 'clock'> = {}) {
  const clock = new VirtualClock();
  const simulator = new AkashSimulator({ clock, ...options });
  const said: Heard[] = [];
  const listening: Simulator = {
    id: simulator.id,
    handle: async request => {
      const answer = await simulator.handle(request);
      said.push({ request, answer });
      return answer;
    },
    rentals: () => simulator.rentals(),
    bill: () => simulator.bill(),
    close: () => simulator.close(),
  };
  const provider = new AkashProvider({
    base: 'https://console-api.akash.network',
    transport: transportTo(listening, { clock, faults: new Faults([], () => 1) }),
    login: () => Promise.resolve({ apiKey: AKASH_KEY }),
    clock,
  });
  return { provider, clock, said, simulator };
}

describe('Akash’s manifests', () => {
  it('are the same by the adapter and by the simulator, for whatever is offered and asked for', async () => {
    const { provider } = heard();
    for (const offer of await provider.offers(signal)) {
      for (const terms of [{}, { diskGiB: 200 }, { image: 'example/own:1' }]) {
        const request = await aRequest(provider, offer);
        const workload = workloadOf({ ...request, terms: { ...request.terms, ...terms } });
        const found = readSdl(sdlOf(workload, 1000n));
        assert.ok('sdl' in found, 'problem' in found ? found.problem : '');
        assert.equal(manifestText(found.sdl), manifestOf(workload));
      }
    }
  });
});

describe('the OpenAPI document of Akash’s console', () => {
  it('has every request that the adapter makes, and every answer of the simulator to it', async () => {
    const { provider, clock, said } = heard({ lies: { evenBids: true } });
    const request = await aRequest(provider);
    const order = await provider.create(request, signal);
    await provider.advance(order, request, signal);
    clock.jump(60_000);
    await provider.get(order.id, signal);
    await provider.list(signal);
    await provider.account(signal);
    await provider.destroy(order.id, signal);
    await provider.bill(0, clock.now(), signal);
    await provider.time(signal);
    const document = documentSchema.parse(JSON.parse(withDigits(read('console-api-openapi.json'))));
    const used = new Set(said.map(each => checkAgainst(document, each)));
    const all = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method} ${path}`),
    );
    assert.deepEqual([...used].sort(), all.sort(), 'each of its paths that is kept here is asked for');
  });

  it('refuses what it does not describe', () => {
    const document = documentSchema.parse(JSON.parse(withDigits(read('console-api-openapi.json'))));
    const bare = { query: new URLSearchParams(), headers: {} };
    const good: Heard = {
      request: { ...bare, method: 'POST', path: '/v1/deployments', body: { data: { sdl: 'x', deposit: 5 } } },
      answer: { status: 400 },
    };
    assert.equal(checkAgainst(document, good), 'post /v1/deployments');
    for (const request of [
      { ...good.request, body: { data: { deposit: 5 } } },
      { ...good.request, body: { data: { sdl: 'x' }, colour: 'red' } },
      { ...good.request, path: '/v1/deployment' },
      { ...good.request, query: new URLSearchParams({ fast: 'yes' }) },
    ]) {
      assert.throws(() => checkAgainst(document, { ...good, request }), assert.AssertionError);
    }
  });
});

/** The document writes digits as `^d+$`: a backslash was lost on the way. */
const withDigits = (text: string): string => text.replaceAll('"^d+$"', String.raw`"^\\d+$"`);

const operationSchema = z.object({
  parameters: z.array(z.object({ name: z.string(), in: z.string(), schema: z.unknown() })).default([]),
  requestBody: z.object({ content: z.record(z.string(), z.object({ schema: z.unknown() })) }).optional(),
  responses: z.record(
    z.string(),
    z.object({ content: z.record(z.string(), z.object({ schema: z.unknown() })).optional() }),
  ),
});
const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) });

/** Its fields of a provider are many, and the simulator has a few of them. */
const PARTLY = ['get /v1/providers/{address}'];

/** @returns the method and path as the document has them */
function checkAgainst(document: z.output<typeof documentSchema>, { request, answer }: Heard): string {
  const { method, path, query, body } = request;
  const [known] = Object.keys(document.paths).filter(template => matches(template, path));
  const operation = known === undefined ? undefined : document.paths[known]?.[method.toLowerCase()];
  assert.ok(known !== undefined && operation !== undefined, `${method} ${path} is not described`);
  const name = `${method.toLowerCase()} ${known}`;
  for (const [key, value] of query) {
    const parameter = operation.parameters.find(each => each.name === key && each.in === 'query');
    assert.ok(parameter !== undefined, `${name} has no parameter ${key}`);
    holds(parameter.schema, value, `${name}?${key}`, ofTexts);
  }
  const wanted = operation.requestBody?.content['application/json']?.schema;
  assert.equal(body === undefined, wanted === undefined, `${name}: a body where none is wanted, or none`);
  if (wanted !== undefined) {
    holds(closed(wanted), body, name);
  }
  const described = operation.responses[answer.status.toString()]?.content?.['application/json']?.schema;
  if (described !== undefined && !PARTLY.includes(name)) {
    holds(described, answer.body, `${name} answers`);
  }
  return name;
}

const matches = (template: string, path: string): boolean =>
  new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(path);

const plain = new Ajv({ allErrors: true, nullable: true, unknownFormats: 'ignore' });
/** What stands in a query is text. */
const ofTexts = new Ajv({ allErrors: true, nullable: true, coerceTypes: true, unknownFormats: 'ignore' });

function holds(schema: unknown, value: unknown, where: string, ajv = plain): void {
  const validate = ajv.compile(Object(schema) as object);
  assert.ok(validate(value) === true, `${where}: ${ajv.errorsText(validate.errors)}`);
}

/** The same, and nothing beside: what the document does not name is passed over there, and is a slip of ours. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) {
    return schema.map(closed);
  }
  if (typeof schema !== 'object' || schema === null) {
    return schema;
  }
  const inner = Object.fromEntries(Object.entries(schema).map(([key, each]) => [key, closed(each)]));
  return 'properties' in inner ? { additionalProperties: false, ...inner } : inner;
}
