/** The contract suite on Vast.ai's adapter, over the simulator of that network. */
import assert from 'node:assert/strict';
import { costOver } from '@hitch/contract';
import * as z from 'zod';
import { VastProvider } from '../../backend-proxy/src/providers/vast/vast-provider.ts';
import type { FaultRule } from '../simulators/frame/faults.ts';
import type { SimMachines } from '../simulators/frame/simulator.ts';
import { SshdMachines } from '../simulators/frame/sshd-machines.ts';
import { endOf } from '../simulators/vast/contracts.ts';
import type { LieRule } from '../simulators/vast/lies.ts';
import { VAST_KEY, VastSimulator } from '../simulators/vast/vast-simulator.ts';
import {
  aRequest,
  instancesOf,
  isFailure,
  type NetworkFault,
  type ProviderSubject,
  signal,
} from './provider-rig.ts';
import { withoutOpenssh } from '../support/openssh.ts';
import { until } from '../support/waiting.ts';
import { describeProvider } from './provider-suite.ts';
import { type SubjectOver, subjectOver } from './simulated-rig.ts';

/** What stands for a fault: on the way, at the network itself, or that it counts calls. */
interface Trouble {
  readonly rules?: readonly FaultRule[];
  readonly lies?: readonly LieRule[];
  readonly limits?: true;
}

const SEARCH = /^POST \/api\/v0\/bundles\//;
const PURCHASE = /^PUT \/api\/v0\/asks\//;
const LIST = /^GET \/api\/v1\/instances\//;
const END = /^DELETE \/api\/v0\/instances\//;

const TROUBLES: Partial<Readonly<Record<NetworkFault, Trouble>>> = {
  sold_out: { lies: [{ lie: { does: 'vanish-offer' } }] },
  reply_lost_after_create: { rules: [{ route: PURCHASE, fault: { does: 'lose-reply' } }] },
  reply_lost_before_create: { rules: [{ route: PURCHASE, fault: { does: 'before' } }] },
  duplicate_reply: { rules: [{ route: PURCHASE, nth: 2, fault: { does: 'duplicate-reply' } }] },
  error_with_id: { lies: [{ lie: { does: 'error-with-contract' } }] },
  dearer: { lies: [{ lie: { does: 'dearer', percent: 40 } }] },
  other_machine: { lies: [{ lie: { does: 'other-machine' } }] },
  limited_route: { limits: true },
  rate_limited: {
    rules: [
      {
        route: SEARCH,
        fault: { does: 'answer', answer: { status: 429, body: 'API requests too frequent' } },
      },
    ],
  },
  outage: { rules: [{ route: /./, fault: { does: 'refuse' } }] },
  list_fails: {
    rules: [{ route: LIST, fault: { does: 'answer', answer: { status: 502, body: 'Bad gateway' } } }],
  },
  list_partial: { rules: [{ route: LIST, fault: { does: 'cut' } }] },
  destroy_fails: { lies: [{ lie: { does: 'destroy-fails', tries: 2 } }] },
  destroy_reply_lost: { rules: [{ route: END, times: 1, fault: { does: 'lose-reply' } }] },
  destroy_slow: { lies: [{ lie: { does: 'slow-destroy', ms: 600_000 } }] },
  unknown_status: { lies: [{ lie: { does: 'status', word: 'contemplating' } }] },
  slow_boot: { lies: [{ lie: { does: 'slow-boot', ms: 60_000 } }] },
  slow_reply: { rules: [{ route: SEARCH, fault: { does: 'slow', ms: 60_000 } }] },
  // A disk is always charged apart there.
  disk_apart: {},
  detail_without_label: { lies: [{ lie: { does: 'no-label' } }] },
};

type VastSubject = SubjectOver<VastProvider, VastSimulator>;

function vast(
  faults: readonly NetworkFault[],
  more: Trouble = {},
  machines: SimMachines | null = null,
): VastSubject {
  const troubles = [more, ...faults.map(fault => TROUBLES[fault] ?? {})];
  return subjectOver({
    simulator: clock =>
      new VastSimulator({
        clock,
        lies: troubles.flatMap(({ lies = [] }) => lies),
        limits: troubles.some(({ limits }) => limits === true),
        ...(machines === null ? {} : { machines }),
      }),
    adapter: around =>
      new VastProvider({
        ...around,
        base: 'https://vast.example',
        login: () => Promise.resolve({ apiKey: VAST_KEY }),
      }),
    rules: troubles.flatMap(({ rules = [] }) => rules),
    unknownId: '999999999',
    leadsNowhere: machines === null ? 'is simulated with machines that are records' : undefined,
    boughtElsewhere,
  });
}

/** The same with machines that are each behind an sshd of their own. */
function vastWithMachines(): ProviderSubject {
  const subject = vast([], {}, new SshdMachines());
  const { simulator, clock } = subject;
  const areUp = (): boolean =>
    simulator.market
      .contracts()
      .every(
        contract =>
          endOf(contract, clock.now()) !== null || simulator.ways.wayOf(contract, clock.now()) !== null,
      );
  return {
    ...subject,
    pass: async ms => {
      await until('the machines that were bought are up', areUp);
      await subject.pass(ms);
    },
  };
}

const soldElsewhere = z.looseObject({ new_contract: z.number() });
const found = z.looseObject({ offers: z.array(z.looseObject({ id: z.number() })) });

/** As the network's web page rents: without a label, and of the offers the last. */
async function boughtElsewhere(simulator: VastSimulator): Promise<string> {
  const ask = (method: string, path: string, body: object) =>
    simulator.handle({
      method,
      path,
      query: new URLSearchParams(),
      headers: { authorization: `Bearer ${VAST_KEY}`, 'user-agent': 'a web page' },
      body,
    });
  const { offers } = found.parse((await ask('POST', '/api/v0/bundles/', { limit: 1000 })).body);
  const path = `/api/v0/asks/${offers.at(-1)?.id.toString() ?? ''}/`;
  const { body } = await ask('PUT', path, { client_id: 'me', image: 'ubuntu:24.04', disk: 10 });
  return soldElsewhere.parse(body).new_contract.toString();
}

describeProvider({
  name: 'vast',
  faults: Object.keys(TROUBLES) as NetworkFault[],
  build: faults => Promise.resolve(vast(faults)),
});

describeProvider({
  name: 'vast with real machines',
  faults: [],
  cannotRun:
    process.getuid?.() === 0 ? withoutOpenssh() : 'its machines are reached as root, which nobody is here',
  build: () => Promise.resolve(vastWithMachines()),
});

describe('Vast.ai, simulated, by its adapter', () => {
  const subjects: VastSubject[] = [];
  const rigged = (faults: readonly NetworkFault[] = [], more: Trouble = {}): VastSubject => {
    const made = vast(faults, more);
    subjects.push(made);
    return made;
  };
  afterEach(async () => {
    for (const subject of subjects.splice(0)) {
      await subject.dispose();
    }
  });
  const HOUR_MS = 3_600_000;

  it('lists as many machines as there are, page by page', async () => {
    const subject = rigged();
    const { provider } = subject;
    for (let bought = 0; bought < 30; bought++) {
      await provider.create(await aRequest(provider), signal);
    }
    let pages = 1;
    const listed = await provider.list(signal, () => {
      pages += 1;
      return Promise.resolve();
    });
    assert.equal(new Set(listed.map(({ id }) => id)).size, 30);
    assert.equal(pages, 2);
  });

  it('answers an error where a machine slips from one page to another while the list is read', async () => {
    const subject = rigged();
    const { simulator } = subject;
    const { provider } = subject;
    for (let bought = 0; bought < 30; bought++) {
      await provider.create(await aRequest(provider), signal);
    }
    simulator.lies.add({ lie: { does: 'page-shift' } });
    await assert.rejects(provider.list(signal), isFailure('retryable'));
  });

  it('offers nothing that cannot be rented, whatever a search answers', async () => {
    const subject = rigged([], { lies: [{ lie: { does: 'ignore-filters' } }] });
    const { simulator } = subject;
    const { provider } = subject;
    const onDemand = (await provider.offers(signal)).find(({ market }) => market === 'on_demand');
    const request = await aRequest(provider, onDemand);
    await provider.create(request, signal);
    const offers = await provider.offers(signal);
    assert.ok(offers.length > 0);
    assert.equal(
      offers.some(({ id }) => id === request.offer.id),
      false,
      'it is rented',
    );
    assert.ok(
      offers.some(({ trust }) => trust === 'community'),
      'what was not searched for is said as it is',
    );
    assert.equal(simulator.rentals().length, 1);
  });

  it('bills what its rates say, by part and to the micro-dollar, also while it stands stopped', async () => {
    const subject = rigged([], {
      lies: [{ lie: { does: 'outbid', afterMs: 2 * HOUR_MS } }],
    });
    const { simulator, clock } = subject;
    const { provider } = subject;
    const spot = (await provider.offers(signal)).find(({ market }) => market === 'spot');
    const request = await aRequest(provider, spot);
    const boughtAtMs = clock.now();
    const { id } = await provider.create(request, signal);
    const booting = await provider.get(id, signal);
    await subject.pass(HOUR_MS);
    const running = await provider.get(id, signal);
    await subject.pass(3 * HOUR_MS);
    const stopped = await provider.get(id, signal);
    assert.deepEqual(
      [booting, running, stopped].map(({ status, rates }) => [
        status,
        rates.map(rate => rate.isAhead === true),
      ]),
      [
        ['booting', [false, true]],
        ['running', [false, false]],
        ['stopped', [false, true]],
      ],
    );
    assert.equal(running.got?.market, 'spot');
    const [disk, gpu] = running.rates;
    assert.ok(disk !== undefined && gpu !== undefined && disk.fromMs !== null);
    assert.ok(Math.abs(disk.fromMs - boughtAtMs) < 1_000);
    const billed = new Map(simulator.bill().map(({ label, amountMicroUsd }) => [label, amountMicroUsd]));
    assert.equal(billed.get('Disk'), costOver(disk.perHourMicroUsd, clock.now() - boughtAtMs));
    const gpuHours = Number(billed.get('GPU') ?? 0n) / Number(gpu.perHourMicroUsd);
    assert.ok(gpuHours > 1.9 && gpuHours <= 2, `${gpuHours.toString()} hours until it was outbid`);
    const lines = (await provider.bill?.(boughtAtMs, clock.now(), signal)) ?? [];
    assert.deepEqual(
      lines.map(({ mark, label, amountMicroUsd }) => [mark, label, amountMicroUsd]).toSorted(),
      [...billed].map(([label, amount]) => [request.ref, label, amount]).toSorted(),
    );
  });

  it('says of a container that will never run that it will not', async () => {
    const subject = rigged([], { lies: [{ lie: { does: 'never-runs' } }] });
    const { provider } = subject;
    const { id } = await provider.create(await aRequest(provider), signal);
    await subject.pass(HOUR_MS);
    const { status, message } = await provider.get(id, signal);
    assert.equal(status, 'stopped');
    assert.match(message, /could not start the container, and will not/);
  });

  it('says where ssh leads after a restart, which is elsewhere', async () => {
    const subject = rigged([], { lies: [{ lie: { does: 'restart', afterMs: HOUR_MS } }] });
    const { provider } = subject;
    const { id } = await provider.create(await aRequest(provider), signal);
    const wayAfter = async (ms: number) => {
      await subject.pass(ms);
      return (await provider.get(id, signal)).members[0]?.ssh;
    };
    const [before, after] = [await wayAfter(HOUR_MS / 2), await wayAfter(HOUR_MS)];
    assert.ok(before !== undefined && before !== null && after !== undefined && after !== null);
    assert.notDeepEqual(after, before);
  });

  it('remembers by its mark what came and went while nobody looked', async () => {
    const subject = rigged([], { lies: [{ lie: { does: 'host-ends', afterMs: HOUR_MS } }] });
    const { provider } = subject;
    const request = await aRequest(provider);
    const { id } = await provider.create(request, signal);
    await subject.pass(2 * HOUR_MS);
    assert.deepEqual(await instancesOf(provider, request.ref), []);
    const past = (await provider.history?.(request.ref, signal)) ?? [];
    assert.deepEqual(
      past.map(instance => [instance.id, instance.status]),
      [[id, 'gone']],
    );
    assert.deepEqual(await provider.history?.('hitch-never', signal), []);
  });

  it('attaches the key, which opens the machine for good unless it is lost too', async () => {
    const subject = rigged([], {
      lies: [{ lie: { does: 'key-lost-after', afterMs: 2 * HOUR_MS } }],
    });
    const { simulator, clock } = subject;
    const { provider } = subject;
    const request = await aRequest(provider);
    const { id } = await provider.create(request, signal);
    const keys = () => simulator.ways.keysNow(simulator.market.contract(Number(id)) ?? assert.fail());
    const key = request.letIn?.publicKey ?? '';
    assert.ok(
      keys().some(one => key.startsWith(one)),
      'its start-up has it',
    );
    await provider.letIn?.(id, key, signal);
    assert.ok(keys().includes(key));
    clock.jump(4 * HOUR_MS);
    assert.deepEqual(keys(), []);
    await provider.letIn?.(id, key, signal);
    assert.deepEqual(keys(), [key]);
  });

  it('says whose the key is and what is left, and what is wrong with a key or an empty account', async () => {
    const subject = rigged();
    const { simulator } = subject;
    const { provider } = subject;
    const said = await provider.account?.(signal);
    assert.equal(said?.balanceMicroUsd, 1_000_000_000n);
    await assert.rejects(
      provider.account?.(signal, { apiKey: 'another-key' }) ?? Promise.resolve(),
      isFailure('auth'),
    );
    const request = await aRequest(provider);
    const { id } = await provider.create(request, signal);
    simulator.account.revoke(VAST_KEY);
    await assert.rejects(provider.get(id, signal), isFailure('auth'));
    await assert.rejects(provider.destroy(id, signal), isFailure('auth'));
    simulator.account.accept(VAST_KEY);
    await provider.destroy(id, signal);
  });
});
