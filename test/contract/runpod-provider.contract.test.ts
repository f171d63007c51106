/** The contract suite on RunPod, as the simulator of it behaves, and what is RunPod's alone. */
import assert from 'node:assert/strict';
import type { Offer } from '@hitch/contract';
import { priceOf } from '../../backend-proxy/src/providers/provider.ts';
import { RunpodProvider } from '../../backend-proxy/src/providers/runpod/runpod-provider.ts';
import type { FaultRule } from '../simulators/frame/faults.ts';
import type { SimAnswer, SimRequest } from '../simulators/frame/simulator.ts';
import { SshdMachines } from '../simulators/frame/sshd-machines.ts';
import { RUNPOD_GPUS } from '../simulators/runpod/catalogue.ts';
import type { RunpodOptions } from '../simulators/runpod/account.ts';
import { RUNPOD_KEY, RunpodSimulator } from '../simulators/runpod/runpod-simulator.ts';
import { withoutOpenssh } from '../support/openssh.ts';
import { aRequest, failureOf, isFailure, type NetworkFault, signal } from './provider-rig.ts';
import { describeProvider } from './provider-suite.ts';
import { type SubjectOver, subjectOver } from './simulated-rig.ts';

const CREATE = /^POST \/v2\/(?:pods|clusters)$/;
const DELETE = /^DELETE \//;
const answering = (answer: SimAnswer): FaultRule['fault'] => ({ does: 'answer', answer });

const RULES: Partial<Readonly<Record<NetworkFault, FaultRule>>> = {
  reply_lost_after_create: { route: CREATE, fault: { does: 'lose-reply' } },
  reply_lost_before_create: { route: CREATE, fault: { does: 'before' } },
  duplicate_reply: { route: CREATE, nth: 2, fault: { does: 'duplicate-reply' } },
  rate_limited: {
    route: /catalog/,
    fault: answering({
      status: 429,
      headers: { 'retry-after': '3' },
      body: { title: 'Too Many Requests', status: 429, detail: 'rate limit exceeded for the minute window' },
    }),
  },
  outage: { route: /./, fault: answering({ status: 503, body: 'upstream connect error' }) },
  list_fails: { route: /^GET \/v2\/clusters$/, fault: answering({ status: 500, body: {} }) },
  list_partial: { route: /^GET \/v2\/pods$/, fault: { does: 'cut' } },
  destroy_fails: { route: DELETE, times: 2, fault: answering({ status: 502, body: 'Bad Gateway' }) },
  destroy_reply_lost: { route: DELETE, fault: { does: 'lose-reply' } },
  slow_reply: { route: /./, fault: { does: 'slow', ms: 60_000 } },
};

const OPTIONS: Partial<Readonly<Record<NetworkFault, Partial<RunpodOptions>>>> = {
  // What it always does.
  sold_together: {},
  dearer: { priceFactor: 1.4 },
  other_machine: { instead: { count: 1, cloud: 'COMMUNITY' } },
  destroy_slow: { endMs: 600_000 },
  unknown_status: { statusWord: 'CONTEMPLATING' },
  slow_boot: { startMs: 60_000 },
  member_lost: { loses: { rank: 1, afterMs: 60_000 } },
  sold_out: { soldOut: true },
};

type RunpodSubject = SubjectOver<RunpodProvider, RunpodSimulator>;

const READ_ONLY_KEY = 'rpa_that_reads';

const runpod = (
  options: Partial<RunpodOptions> = {},
  rules: readonly FaultRule[] = [],
  apiKey = RUNPOD_KEY,
): RunpodSubject =>
  subjectOver({
    simulator: clock =>
      new RunpodSimulator({
        clock,
        machines: new SshdMachines(),
        keys: [RUNPOD_KEY],
        readOnlyKeys: [READ_ONLY_KEY],
        ...options,
      }),
    adapter: around =>
      new RunpodProvider({
        ...around,
        base: 'https://api.runpod.io',
        login: () => Promise.resolve({ apiKey }),
      }),
    rules,
    boughtElsewhere: async simulator => {
      const elsewhere = { name: 'web-1', image: 'nginx', gpu: { id: 'NVIDIA A40' } };
      const { body } = await simulator.handle(asked('POST', '/v2/pods', elsewhere));
      return String(Reflect.get(Object(body), 'id'));
    },
  });

const problem403 = (detail: string): SimAnswer => ({
  status: 403,
  body: { title: 'Forbidden', status: 403, detail },
});

const asked = (method: string, path: string, body?: unknown): SimRequest => ({
  method,
  path,
  query: new URLSearchParams(),
  headers: { authorization: `Bearer ${RUNPOD_KEY}` },
  body,
});

describeProvider({
  name: 'RunPod',
  faults: [...Object.keys(RULES), ...Object.keys(OPTIONS)] as NetworkFault[],
  cannotRun: withoutOpenssh(),
  build: async faults =>
    runpod(
      Object.assign({}, ...faults.map(fault => OPTIONS[fault] ?? {})) as Partial<RunpodOptions>,
      faults.flatMap(fault => RULES[fault] ?? []),
    ),
});

describe('RunPod', () => {
  const subjects: RunpodSubject[] = [];
  const build = (...of: Parameters<typeof runpod>): RunpodSubject => {
    const subject = runpod(...of);
    subjects.push(subject);
    return subject;
  };
  afterEach(async () => {
    for (const subject of subjects.splice(0)) {
      await subject.dispose();
    }
  });
  const offerIn = async ({ provider }: RunpodSubject, id: string): Promise<Offer> => {
    const offer = (await provider.offers(signal)).find(each => each.id === id);
    assert.ok(offer !== undefined, id);
    return offer;
  };

  it('offers machines by cloud and number of GPUs, and clusters, with their disk in the price', async () => {
    const { provider } = build();
    const offers = await provider.offers(signal);
    assert.deepEqual(offers.map(({ id, pricePerHourMicroUsd }) => [id, pricePerHourMicroUsd]).slice(0, 3), [
      ['runpod:pod.secure.1.NVIDIA+GeForce+RTX+4090', (590_000 + 50 * 139).toString()],
      ['runpod:pod.secure.1.NVIDIA+A40', (400_000 + 50 * 139).toString()],
      ['runpod:pod.secure.1.NVIDIA+H100+80GB+HBM3', (2_690_000 + 50 * 139).toString()],
    ]);
    const cluster = offers.find(({ together }) => together !== undefined);
    assert.deepEqual(
      [cluster?.gpuModel, cluster?.gpuCount, cluster?.multiNode, cluster?.together],
      ['H100 SXM', 8, true, { min: 2, max: 250, replaceOne: false }],
    );
    // Of 12.8, 12.11 and 12.4 a pod may get any.
    assert.equal(offers[0]?.cudaMax, '12.4');
  });

  it('leaves a row out that it does not understand, says so, and offers the others', async () => {
    const [first] = RUNPOD_GPUS;
    assert.ok(first !== undefined);
    const dear = { ...first, id: 'NVIDIA Odd', secure: 1e9 };
    const { provider } = build({ gpus: [...RUNPOD_GPUS, dear] });
    const offers = await provider.offers(signal);
    assert.ok(offers.length > 3);
    assert.ok(!offers.some(({ id }) => id.includes('Odd')));
    assert.match(provider.offersLeftOut() ?? '', /^GPUs of RunPod are left out, .*: NVIDIA Odd\.$/);
    const whole = build();
    await whole.provider.offers(signal);
    assert.equal(whole.provider.offersLeftOut(), null);
  });

  it('asks for each page of its catalogue apart', async () => {
    const { provider } = build();
    let pages = 0;
    await provider.offers(signal, async () => {
      pages++;
    });
    assert.equal(pages, 8);
  });

  it('takes no capacity, which is a 400 there, for this candidate alone', async () => {
    const subject = build({ soldOut: true });
    const error = await failureOf(subject.provider.create(await aRequest(subject.provider), signal));
    assert.deepEqual([error.kind, /no longer any instances/.test(error.message)], ['capacity', true]);
  });

  it('takes a key that may only read for no fault of the candidate: none of the others is to be had either', async () => {
    const reading = build({}, [], READ_ONLY_KEY);
    const refused = await failureOf(reading.provider.create(await aRequest(reading.provider), signal));
    assert.deepEqual(
      [refused.kind, refused.lacks, refused.message],
      ['auth', 'login', 'RunPod says: this API key has no write permission.'],
    );
    const pool = problem403('Your account cannot access the requested pool.');
    const other = build({}, [{ route: CREATE, fault: answering(pool) }]);
    const closed = await failureOf(other.provider.create(await aRequest(other.provider), signal));
    assert.equal(closed.kind, 'capacity');
  });

  it('says that money is missing, and of which key that it is not accepted', async () => {
    const poor = build({ balance: 0.1 });
    const error = await failureOf(poor.provider.create(await aRequest(poor.provider), signal));
    assert.deepEqual([error.kind, error.lacks], ['auth', 'funds']);
    const refused = await failureOf(poor.provider.account(signal, { apiKey: 'other' }));
    assert.deepEqual([refused.kind, refused.message], ['auth', 'RunPod says: Unauthorized.']);
    const account = await poor.provider.account(signal);
    assert.deepEqual(
      [account.name, account.balanceMicroUsd, account.spendLimitPerHourMicroUsd],
      ['a@example.com', 100_000n, 80_000_000n],
    );
  });

  it('is not running while it fetches the image, whatever it says, and leads nowhere then', async () => {
    const subject = build({ startMs: 1_000, pullMs: 600_000 });
    const { provider } = subject;
    const { id } = await provider.create(await aRequest(provider), signal);
    await subject.pass(60_000);
    const fetching = await provider.get(id, signal);
    assert.deepEqual([fetching.status, fetching.members[0]?.ssh], ['booting', null]);
    assert.match(fetching.message, /RUNNING, and is still fetching the image/);
  });

  it('gives the members of a cluster their own addresses, and costs what all of them cost', async () => {
    const subject = build();
    const { provider } = subject;
    const offer = (await provider.offers(signal)).find(({ together }) => together !== undefined);
    const request = { ...(await aRequest(provider, offer)), members: 2 };
    const { id } = await provider.create({ ...request, maxPricePerHourMicroUsd: 10n ** 9n }, signal);
    await subject.pass(60_000);
    const now = await provider.get(id, signal);
    assert.deepEqual(
      now.members.map(({ rank, privateAddress }) => [rank, privateAddress]),
      [
        [0, '10.65.0.2'],
        [1, '10.65.0.3'],
      ],
    );
    assert.equal(priceOf(now), 2n * BigInt(offer?.pricePerHourMicroUsd ?? 0));
    await assert.rejects(provider.create({ ...request, members: 1 }, signal), isFailure('permanent'));
  });

  it('bills what was rented by the id of it', async () => {
    const subject = build();
    const { provider, clock, simulator } = subject;
    const offer = await offerIn(subject, 'runpod:pod.secure.1.NVIDIA+A40');
    const fromMs = clock.now();
    const { id } = await provider.create(await aRequest(provider, offer), signal);
    await subject.pass(3_600_000);
    await provider.destroy(id, signal);
    const lines = await provider.bill(fromMs, clock.now(), signal);
    assert.deepEqual(
      lines.map(({ instanceId, label, amountMicroUsd }) => [instanceId, label, amountMicroUsd]),
      [
        [id, 'GPU', 400_000n],
        [id, 'Disk', 50n * 139n],
      ],
    );
    assert.equal(
      lines.reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n),
      simulator.bill().reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n),
    );
  });

  it('is asked nothing that it does not know', async () => {
    const { provider, simulator } = build();
    const request = await aRequest(provider);
    await provider.create(request, signal);
    const odd = { name: 'x', image: 'y', gpu: { id: 'NVIDIA A40' }, colour: 'red' };
    const hitch = {
      ...asked('POST', '/v2/pods', odd),
      headers: { authorization: `Bearer ${RUNPOD_KEY}`, 'user-agent': 'hitch' },
    };
    assert.equal((await simulator.handle(hitch)).status, 422);
    assert.match(simulator.complaints.splice(0).join(), /colour/);
    assert.equal((await simulator.handle(asked('POST', '/v2/pods', odd))).status, 201);
  });
});
