/** The contract suite on Prime Intellect, as the simulator of it behaves, and what is Prime Intellect's alone. */
import assert from 'node:assert/strict';
import { parseMicroUsd } from '@hitch/contract';
import { PrimeProvider } from '../../backend-proxy/src/providers/prime/prime-provider.ts';
import type { FaultRule } from '../simulators/frame/faults.ts';
import type { SimAnswer, SimRequest } from '../simulators/frame/simulator.ts';
import { SshdMachines } from '../simulators/frame/sshd-machines.ts';
import { PRIME_ROWS } from '../simulators/prime/availability.ts';
import { PRIME_KEY, type PrimeOptions, PrimeSimulator } from '../simulators/prime/prime-simulator.ts';
import { withoutOpenssh } from '../support/openssh.ts';
import { aRequest, failureOf, isFailure, type NetworkFault, signal } from './provider-rig.ts';
import { describeProvider } from './provider-suite.ts';
import { type SubjectOver, subjectOver } from './simulated-rig.ts';

const CREATE = /^POST \/api\/v1\/pods$/;
const DELETE = /^DELETE \/api\/v1\/pods\//;
const LIST = /^GET \/api\/v1\/pods$/;
const answering = (answer: SimAnswer): FaultRule['fault'] => ({ does: 'answer', answer });

const RULES: Partial<Readonly<Record<NetworkFault, FaultRule>>> = {
  reply_lost_after_create: { route: CREATE, fault: { does: 'lose-reply' } },
  reply_lost_before_create: { route: CREATE, fault: { does: 'before' } },
  duplicate_reply: { route: CREATE, nth: 2, fault: { does: 'duplicate-reply' } },
  rate_limited: {
    route: /availability/,
    fault: answering({ status: 429, headers: { 'retry-after': '3' }, body: { detail: 'Too many requests' } }),
  },
  outage: { route: /./, fault: answering({ status: 503, body: 'upstream connect error' }) },
  list_fails: { route: LIST, fault: answering({ status: 500, body: { detail: 'Internal error' } }) },
  list_partial: { route: LIST, fault: { does: 'cut' } },
  destroy_fails: { route: DELETE, times: 2, fault: answering({ status: 502, body: 'Bad Gateway' }) },
  destroy_reply_lost: { route: DELETE, times: 1, fault: { does: 'lose-reply' } },
  slow_reply: { route: /./, fault: { does: 'slow', ms: 60_000 } },
};

const OPTIONS: Partial<Readonly<Record<NetworkFault, Partial<PrimeOptions>>>> = {
  sold_out: { soldOut: true },
  dearer: { priceFactor: 1.4 },
  destroy_slow: { endMs: 600_000 },
  unknown_status: { statusWord: 'CONTEMPLATING' },
  slow_boot: { startMs: 60_000 },
};

type PrimeSubject = SubjectOver<PrimeProvider, PrimeSimulator>;

const prime = (options: Partial<PrimeOptions> = {}, rules: readonly FaultRule[] = []): PrimeSubject =>
  subjectOver({
    simulator: clock => new PrimeSimulator({ clock, machines: new SshdMachines(), ...options }),
    adapter: around =>
      new PrimeProvider({
        ...around,
        base: 'https://api.primeintellect.ai',
        login: () => Promise.resolve({ apiKey: PRIME_KEY }),
      }),
    rules,
    boughtElsewhere: async simulator => {
      const [row = assert.fail()] = PRIME_ROWS;
      const { cloudId, gpuType, socket, gpuCount, dataCenter: dataCenterId, provider: type } = row;
      const pod = { name: 'web-1', cloudId, gpuType, socket, gpuCount, dataCenterId };
      const { body } = await simulator.handle(asked('POST', '/api/v1/pods', { pod, provider: { type } }));
      return String(Reflect.get(Object(body), 'id'));
    },
  });

const asked = (method: string, path: string, body?: unknown): SimRequest => ({
  method,
  path,
  query: new URLSearchParams(),
  headers: { authorization: `Bearer ${PRIME_KEY}` },
  body,
});

describeProvider({
  name: 'Prime Intellect',
  faults: [...Object.keys(RULES), ...Object.keys(OPTIONS)] as NetworkFault[],
  cannotRun: withoutOpenssh(),
  build: async faults =>
    prime(
      Object.assign({}, ...faults.map(fault => OPTIONS[fault] ?? {})) as Partial<PrimeOptions>,
      faults.flatMap(fault => RULES[fault] ?? []),
    ),
});

describe('Prime Intellect', () => {
  const subjects: PrimeSubject[] = [];
  const build = (...of: Parameters<typeof prime>): PrimeSubject => {
    const subject = prime(...of);
    subjects.push(subject);
    return subject;
  };
  afterEach(async () => {
    for (const subject of subjects.splice(0)) {
      await subject.dispose();
    }
  });

  it('offers what is for sale, with its disk in the price unless it is in it already', async () => {
    const offers = await build().provider.offers(signal);
    const shown = offers.map(({ gpuModel, pricePerHourMicroUsd, market, trust }) =>
      [gpuModel, pricePerHourMicroUsd, market, trust].join(' '),
    );
    assert.deepEqual(shown, [
      'A100 1673600 on_demand data_center',
      'H100 3006800 on_demand data_center',
      'L40S 950000 on_demand data_center',
      'A100 591600 spot data_center',
      'RTX 4090 310000 on_demand community',
      'A100 15216800 on_demand data_center',
      'H100 40016800 on_demand data_center',
    ]);
  });

  it('says what is paid ahead, and rents nothing of several machines that it does not join', async () => {
    const { provider } = build();
    const offers = await provider.offers(signal);
    const prepaid = offers.find(({ dueNowMicroUsd }) => dueNowMicroUsd !== undefined);
    assert.equal(prepaid?.floorMicroUsd, (15_216_800 * 24).toString());
    assert.equal(prepaid.dueNowMicroUsd, prepaid.floorMicroUsd);
    const several = offers.filter(({ notRentable }) => notRentable !== undefined);
    assert.deepEqual(
      several.map(({ gpuCount }) => gpuCount),
      [16],
    );
    const request = await aRequest(provider, several[0]);
    await assert.rejects(provider.create(request, signal), isFailure('permanent'));
  });

  it('reads a list of many pages whole, and says what it does not understand', async () => {
    const [row = assert.fail()] = PRIME_ROWS;
    const many = Array.from({ length: 250 }, (_, number) => ({
      ...row,
      dataCenter: `DC-${number.toString()}`,
    }));
    const odd = { ...row, cloudId: 'odd', gpuCount: 0.5 };
    // Its client counts on rows without a price (`api/availability.py`, `Prices.price`).
    const priceless = { ...row, dataCenter: 'none', prices: { ...row.prices, onDemand: null } };
    const { provider } = build({ rows: [...many, priceless, odd] });
    let pages = 0;
    const offers = await provider.offers(signal, () => {
      pages += 1;
      return Promise.resolve();
    });
    assert.equal(offers.length, 251);
    assert.equal(pages, 3);
    assert.match(provider.offersLeftOut() ?? '', /is not understood: odd\.$/);
  });

  it('is no list where one of it ended while it was read', async () => {
    const { provider, simulator } = build({ startMs: 1e9 });
    const request = await aRequest(provider);
    for (let number = 0; number < 101; number++) {
      await provider.create({ ...request, ref: `hitch-many${number.toString()}` }, signal);
    }
    assert.equal((await provider.list(signal)).length, 101);
    const listing = provider.list(signal, async () => {
      await simulator.handle(asked('DELETE', '/api/v1/pods/pod000003'));
    });
    await assert.rejects(listing, isFailure('retryable'));
  });

  it('boots while it is ACTIVE and not installed, and runs once it says where ssh leads', async () => {
    const { provider, clock } = build({ startMs: 60_000, installMs: 60_000 });
    const { id } = await provider.create(await aRequest(provider), signal);
    assert.equal((await provider.get(id, signal)).status, 'booting');
    clock.jump(90_000);
    const installing = await provider.get(id, signal);
    assert.deepEqual([installing.status, installing.members[0]?.ssh], ['booting', null]);
    assert.equal(installing.message, 'Prime Intellect says: ACTIVE, installed to 40 %.');
    clock.jump(60_000);
    const running = await provider.get(id, signal);
    assert.equal(running.status, 'running');
    assert.ok(running.members[0]?.ssh !== null);
  });

  it('says whether there is none left, no money, or no such key', async () => {
    const poor = build({ balance: 0.1 });
    const request = await aRequest(poor.provider);
    const error = await failureOf(poor.provider.create(request, signal));
    assert.deepEqual([error.kind, error.lacks], ['auth', 'funds']);
    for (const [status, detail, kind] of [
      [400, 'No capacity available', 'capacity'],
      [404, 'This configuration is unavailable', 'capacity'],
      [400, 'Something else', 'permanent'],
      [500, 'No capacity available', 'unknownOutcome'],
    ] as const) {
      const { provider } = build({}, [{ route: CREATE, fault: answering({ status, body: { detail } }) }]);
      await assert.rejects(provider.create(await aRequest(provider), signal), isFailure(kind));
    }
  });

  it('remembers what came and went, with what it cost', async () => {
    const { provider, clock, simulator } = build();
    const request = await aRequest(provider);
    const { id } = await provider.create(request, signal);
    clock.jump(3_600_000);
    await provider.destroy(id, signal);
    const [past, ...more] = await provider.history(request.ref, signal);
    assert.deepEqual(more, []);
    assert.deepEqual([past?.id, past?.status, past?.billedUntilMs], [id, 'gone', clock.now()]);
    const [line] = await provider.bill(0, clock.now(), signal);
    const [billed] = simulator.bill();
    assert.deepEqual([line?.mark, line?.amountMicroUsd], [request.ref, billed?.amountMicroUsd]);
    assert.equal(line?.amountMicroUsd, parseMicroUsd(request.offer.pricePerHourMicroUsd));
  });

  it('says what its key may do', async () => {
    const { scopes, balanceMicroUsd } = await build().provider.account(signal);
    assert.deepEqual(scopes, ['instances: read and write', 'billing: read']);
    assert.equal(balanceMicroUsd, 1_000_000_000n);
  });
});
