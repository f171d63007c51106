/** What Nosana does in its own way, as the simulator of it behaves. */
import assert from 'node:assert/strict';
import { type Offer, parseMicroUsd } from '@hitch/contract';
import * as z from 'zod';
import { NosanaProvider } from '../../backend-proxy/src/providers/nosana/nosana-provider.ts';
import type { Transport } from '../../backend-proxy/src/providers/http/transport.ts';
import { instanceOf } from '../../backend-proxy/src/providers/nosana/instances.ts';
import { type Instance, priceOf, type Provider } from '../../backend-proxy/src/providers/provider.ts';
import { CAPTIVE_PORTAL, type Fault } from '../simulators/frame/faults.ts';
import { NOSANA_MARKETS } from '../simulators/nosana/markets.ts';
import { deployed, nosana, type NosanaSubject, toNosana } from './nosana-rig.ts';
import { aRequest, failureOf, isFailure, signal } from './provider-rig.ts';

const words = (offers: readonly Offer[]) =>
  offers.map(
    ({ gpuCount, gpuModel, vramMiB, pricePerHourMicroUsd, basis, stock }) =>
      `${gpuCount.toString()}× ${gpuModel ?? ''} ${(vramMiB / 1024).toString()} GB ${pricePerHourMicroUsd} ${basis ?? ''} (${stock.toString()})`,
  );

const leftOut = async (provider: Provider): Promise<string | null> => {
  await provider.offers(signal);
  return provider.offersLeftOut?.() ?? null;
};

const CREATE = 'POST /api/deployments/create';
const bodySchema = z.looseObject({
  name: z.string(),
  job_definition: z.looseObject({
    ops: z.tuple([
      z.looseObject({ args: z.looseObject({ image: z.string(), env: z.record(z.string(), z.string()) }) }),
    ]),
  }),
});

describe('Nosana', () => {
  const subjects: NosanaSubject[] = [];
  const build = (...of: Parameters<typeof nosana>): NosanaSubject => {
    const subject = nosana(...of);
    subjects.push(subject);
    return subject;
  };
  afterEach(async () => {
    for (const subject of subjects.splice(0)) {
      await subject.dispose();
    }
  });

  it('adds the network’s fee to each market’s price, and says which have no price or no GPU', async () => {
    const { provider, simulator } = build();
    assert.deepEqual(words(await provider.offers(signal)), [
      // $0.218175 and 10 %, rounded up once.
      '1× RTX 4090 24 GB 239993 most (1)',
      '1× RTX 3090 24 GB 195360 most (1)',
      '1× A100-SXM4-80GB 80 GB 990000 most (1)',
      '8× RTX A5000 24 GB 2640000 most (1)',
    ]);
    assert.equal(
      await leftOut(provider),
      'Of Nosana’s markets are left out: 1 of which it says no price, 1 of which it says no GPU.',
    );
    const [market] = NOSANA_MARKETS;
    simulator.markets = [{ ...market, network_fee_percentage: 12.5 }, 'soon'];
    assert.deepEqual(
      (await provider.offers(signal)).map(({ priceParts }) => priceParts),
      [
        [
          { label: 'GPU', perHourMicroUsd: '218175' },
          { label: 'network fee', perHourMicroUsd: '27272' },
        ],
      ],
    );
    assert.equal(await leftOut(provider), 'Of Nosana’s markets are left out: 1 that could not be read.');
  });

  for (const [what, fault] of [
    ['a web page in the place of its answer', { does: 'answer', answer: CAPTIVE_PORTAL }],
    ['an answer that is cut in its middle', { does: 'cut' }],
    ['a connection that breaks', { does: 'lose-reply' }],
    ['nobody who connects', { does: 'refuse' }],
    ['another shape of its answer', { does: 'answer', answer: { status: 200, body: { moved: true } } }],
  ] as const satisfies readonly (readonly [string, Fault])[]) {
    it(`answers ${what} with a sentence, and may be asked again`, async () => {
      const { provider } = build({}, [{ route: /./, fault }]);
      await assert.rejects(provider.offers(signal), isFailure('retryable'));
    });
  }

  it('shows what stands on the account with its market’s price, over several pages, and what is left', async () => {
    const { provider, simulator } = build();
    const ids: string[] = [];
    for (let number = 0; number < 103; number++) {
      ids.push(await deployed(simulator, `made-${number.toString()}`));
    }
    // A draft holds no machine.
    assert.deepEqual(await provider.list(signal), []);
    for (const id of ids) {
      await toNosana(simulator, 'POST', `/api/deployments/${id}/start`);
    }
    let pages = 0;
    const listed = await provider.list(signal, async () => {
      pages++;
    });
    assert.equal(listed.length, 103);
    assert.equal(pages, 1 + 103, 'a second page, and the jobs of each');
    const [first] = listed;
    assert.deepEqual(
      [first?.id, first?.mark, first?.status, first?.rates[0]?.perHourMicroUsd, first?.rates[0]?.isAhead],
      [ids[102], 'made-102', 'booting', 479_986n, true],
    );
    assert.equal((await provider.account(signal)).balanceMicroUsd, 100_000_000n);
  });

  it('is asked for its list in one request, once it has said when the jobs of fifty began', async () => {
    const subject = build({ startMs: 600_000, stopMs: 1_000 });
    const { provider, clock, simulator } = subject;
    const request = await aRequest(provider);
    const ids: string[] = [];
    for (let number = 0; number < 50; number++) {
      ids.push((await provider.create({ ...request, ref: `hitch-made-${number.toString()}` }, signal)).id);
    }
    /** What a list shows, and by how many requests; another adapter shows the same, which remembers nothing. */
    const asked = async (): Promise<[number, readonly Instance[]]> => {
      simulator.asked.length = 0;
      const listed = await provider.list(signal);
      const requests = simulator.asked.filter(({ path }) => path.startsWith('/api/deployments')).length;
      assert.deepEqual(listed, await subject.restarted().list(signal));
      return [requests, listed];
    };
    const statuses = (listed: readonly Instance[]) => [...new Set(listed.map(({ status }) => status))];
    assert.deepEqual((await asked())[0], 51);
    const [waiting, booting] = await asked();
    assert.deepEqual([waiting, statuses(booting)], [1, ['booting']]);
    // Some of them may have ended before anybody saw them run.
    clock.jump(40_000);
    assert.equal((await asked())[0], 51);
    clock.jump(600_000);
    const [begun, running] = await asked();
    assert.deepEqual([begun, statuses(running)], [51, ['running']]);
    clock.jump(3_600_000);
    const [later, same] = await asked();
    assert.deepEqual([later, same], [1, running]);
    // Only what has changed is asked about.
    await provider.destroy(ids[7] ?? '', signal);
    const [ending, left] = await asked();
    assert.equal(ending, 2);
    assert.equal(left.filter(({ status }) => status === 'stopped').length, 1);
    clock.jump(1_000);
    const [ended, rest] = await asked();
    assert.deepEqual([ended, rest.length], [1, 49]);
  });

  it('is none where its pages lead round in a circle', async () => {
    const cursors = ['a', 'b', 'a', 'b'];
    const transport: Transport = async () => {
      const next = cursors.shift();
      assert.ok(next !== undefined, 'it is asked without end');
      const body = { deployments: [], pagination: { cursor_next: next } };
      return { status: 200, headers: { 'content-type': 'application/json' }, text: JSON.stringify(body) };
    };
    const { clock } = build();
    const login = () => Promise.resolve({ apiKey: 'k' });
    const provider = new NosanaProvider({ base: 'https://api.nosana.com', transport, login, clock });
    await assert.rejects(provider.list(signal), /leads back to a page/);
  });

  it('is asked for a container that lets the key in at its door, in one request', async () => {
    const { provider, simulator } = build();
    const request = await aRequest(provider);
    simulator.asked.length = 0;
    await provider.create(
      { ...request, terms: { ...request.terms, image: 'docker.io/somebody/image:1' } },
      signal,
    );
    assert.deepEqual(
      simulator.asked.map(({ method, path }) => `${method} ${path}`),
      [CREATE],
    );
    const body = bodySchema.parse(simulator.asked[0]?.body);
    assert.equal(body.name, request.ref);
    const [{ args }] = body.job_definition.ops;
    assert.equal(args.image, 'docker.io/somebody/image:1');
    assert.deepEqual(args.env, {
      SSH_PUBKEY: request.letIn?.publicKey,
      HITCH_PROOF: request.letIn?.proof,
    });
  });

  it('costs nothing while its job waits for a host, and then from the host’s first second', async () => {
    const { provider, clock, simulator } = build({ startMs: 600_000, stopMs: 1_000 });
    const request = await aRequest(provider);
    const { id } = await provider.create(request, signal);
    const waiting = await provider.get(id, signal);
    assert.deepEqual([waiting.status, waiting.rates[0]?.isAhead], ['booting', true]);
    assert.equal(waiting.message, 'Nosana says RUNNING: the job waits for a host of its market.');
    const from = clock.now() + 600_000;
    clock.jump(700_000);
    const running = await provider.get(id, signal);
    assert.equal(running.status, 'running');
    assert.deepEqual(running.rates, [
      {
        label: 'GPU',
        perHourMicroUsd: parseMicroUsd(request.offer.pricePerHourMicroUsd),
        fromMs: Math.floor(from / 1000) * 1000,
      },
    ]);
    const [member] = running.members;
    assert.deepEqual(member?.ssh, {
      kind: 'websocket',
      url: `https://${id}.node.example`,
      user: 'root',
      hostKeys: null,
    });
    await provider.destroy(id, signal);
    assert.equal((await provider.get(id, signal)).status, 'stopped', 'it is being stopped');
    clock.jump(1_000);
    const [past, ...more] = await provider.history(request.ref, signal);
    assert.deepEqual([past?.status, past?.billedUntilMs, more], ['gone', clock.now(), []]);
    assert.equal(simulator.bill().length, 1);
  });

  it('has cost nothing where it was stopped before a host took its job', async () => {
    const { provider, clock, simulator } = build({ startMs: 600_000, stopMs: 1_000 });
    const { id } = await provider.create(await aRequest(provider), signal);
    clock.jump(60_000);
    await provider.destroy(id, signal);
    clock.jump(1_000);
    const past = await provider.get(id, signal);
    assert.deepEqual([past.status, priceOf(past), simulator.bill()], ['gone', 0n, []]);
  });

  it('says until when a job cost that ended while its deployment stands', async () => {
    const price = 195_360n;
    const begunMs = Date.UTC(2027, 0, 1);
    const standing = { id: 'one', market: 'm', replicas: 1, endpoints: [], created_at: begunMs };
    const deployment = { ...standing, status: 'RUNNING', updated_at: begunMs };
    const job = { state: 'COMPLETED', time_start: begunMs / 1000, updated_at: begunMs + 90_000 };
    const { status, rates } = instanceOf(deployment, [job], price);
    assert.equal(status, 'stopped');
    const until = { untilMs: begunMs + 90_000 };
    assert.deepEqual(rates, [{ label: 'GPU', perHourMicroUsd: price, fromMs: begunMs, ...until }]);
    assert.deepEqual(instanceOf(deployment, [{ ...job, updated_at: null }], price).rates, []);
  });

  it('stays in its list until it is stopped, and is not asked to stop twice', async () => {
    const { provider, clock, simulator } = build({ stopMs: 600_000 });
    const { id } = await provider.create(await aRequest(provider), signal);
    clock.jump(10_000);
    await provider.destroy(id, signal);
    await provider.destroy(id, signal);
    const stops = simulator.asked.filter(({ path }) => path.endsWith('/stop'));
    assert.equal(stops.length, 1);
    assert.equal((await provider.list(signal)).length, 1);
    clock.jump(600_000);
    assert.deepEqual(await provider.list(signal), []);
    await provider.destroy(id, signal);
  });

  it('says what it means that a draft is left, and that it cannot be stopped yet', async () => {
    const draft = build({}, [
      {
        route: /create$/,
        fault: {
          does: 'answer',
          answer: { status: 200, body: { id: 'd1', name: 'x', market: 'm', status: 'DRAFT', endpoints: [] } },
        },
      },
    ]);
    const error = await failureOf(draft.provider.create(await aRequest(draft.provider), signal));
    assert.equal(error.kind, 'permanent');
    assert.match(error.message, /keeps d1 as a draft and did not start it.*a draft costs nothing\.$/);
    const starting = build({}, [
      {
        route: /stop$/,
        times: 1,
        fault: {
          does: 'answer',
          answer: { status: 500, body: { error: 'Deployment is in the incorrect state.' } },
        },
      },
    ]);
    const { id } = await starting.provider.create(await aRequest(starting.provider), signal);
    await assert.rejects(starting.provider.destroy(id, signal), isFailure('retryable'));
    await starting.provider.destroy(id, signal);
  });
});
