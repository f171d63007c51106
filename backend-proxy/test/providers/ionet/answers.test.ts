/** Answers of io.net that say less than they seem to. */
import assert from 'node:assert/strict';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { IonetProvider } from '../../../src/providers/ionet/ionet-provider.ts';
import { ProviderError } from '../../../src/providers/provider.ts';

const { signal } = new AbortController();

/** An adapter whose requests are answered by this, and the requests that it made. */
function ionet(answer: (url: URL) => unknown) {
  const asked: string[] = [];
  const clock = new VirtualClock();
  const provider = new IonetProvider({
    base: 'https://ionet.example',
    clock,
    login: () => Promise.resolve({ apiKey: 'a-key-of-the-test' }),
    transport: ({ url, method }) => {
      asked.push(`${method} ${new URL(url).pathname}`);
      const text = JSON.stringify(answer(new URL(url)));
      return Promise.resolve({ status: 200, headers: { 'content-type': 'application/json' }, text });
    },
  });
  return { provider, asked, clock };
}

const minutes = (served: number, remaining: number) => ({
  compute_minutes_served: served,
  compute_minutes_remaining: remaining,
});

const hardware = [{ deploy_id: 'H1', name: 'H100', num_cards: 1, price: 2, location: 'US' }];

/** For an hour of the first machine that is offered. */
async function requestTo(provider: IonetProvider) {
  const [offer] = await provider.offers(signal);
  assert.ok(offer !== undefined);
  const terms = {
    diskGiB: offer.diskGiB,
    termMs: 3_600_000,
    image: null,
    market: 'on_demand',
    bidPerHourMicroUsd: null,
  } as const;
  return {
    ref: 'hitch-1',
    offer,
    terms,
    maxPricePerHourMicroUsd: 10_000_000n,
    members: 1,
    letIn: null,
    endAtMs: null,
  };
}

describe('a machine at io.net', () => {
  it('has no end while no hour of it is counted, since nothing left would have more bought at once', async () => {
    const details = (of: object) => ({ data: { id: 'd1', status: 'deployment requested', ...of } });
    const endOf = async (of: object) => {
      const { provider, clock } = ionet(() => details(of));
      const { endsAtMs } = await provider.get('d1', signal);
      return endsAtMs === undefined ? undefined : endsAtMs - clock.now();
    };
    assert.equal(await endOf(minutes(0, 0)), undefined);
    assert.equal(await endOf({}), undefined);
    assert.equal(await endOf(minutes(0, 60)), 3_600_000);
    assert.equal(await endOf(minutes(60, 0)), 0);
  });

  it('is led to by what its workers say, by whichever name they are listed', async () => {
    const worker = { ssh_access: '', public_url: 'https://one.containers.example' };
    for (const listed of [
      [worker],
      { workers: [worker] },
      { containers: [worker] },
      { vms: [{ ssh_access: ' ', public_url: null }, worker] },
    ]) {
      const { provider, asked } = ionet(({ pathname }) => ({
        data: pathname.endsWith('/containers') ? listed : { id: 'd1', status: 'running', ...minutes(1, 59) },
      }));
      const { status, members } = await provider.get('container:d1', signal);
      assert.equal(status, 'running', asked.join());
      assert.deepEqual(members[0]?.ssh, {
        kind: 'websocket',
        url: 'https://one.containers.example',
        user: 'root',
        hostKeys: null,
      });
    }
  });

  it('has the mark of its order, unless its page names another', async () => {
    const markOf = async (named: object) => {
      const { provider } = ionet(({ pathname }) => {
        if (pathname.endsWith('/hardware')) {
          return { data: { hardware } };
        }
        return pathname.endsWith('/price')
          ? { data: { total_cost_usdc: 2 } }
          : { data: { id: 'd1', status: 'deploying', ...named } };
      });
      return (await provider.create(await requestTo(provider), signal)).mark;
    };
    assert.equal(await markOf({}), 'hitch-1');
    assert.equal(await markOf({ name: '' }), 'hitch-1');
    assert.equal(await markOf({ name: 'hitch-1' }), 'hitch-1');
    assert.equal(await markOf({ name: 'hitch-2' }), 'hitch-2', 'it is the answer to another order');
  });

  it('is not ordered where its price is nothing', async () => {
    const { provider, asked } = ionet(({ pathname }) =>
      pathname.endsWith('/hardware') ? { data: { hardware } } : { data: { total_cost_usdc: 0 } },
    );
    const request = await requestTo(provider);
    const { offer, terms } = request;
    for (const call of [provider.price(offer, terms, signal), provider.create(request, signal)]) {
      await assert.rejects(
        call,
        error =>
          error instanceof ProviderError && error.kind === 'retryable' && /costs nothing/.test(error.message),
      );
    }
    assert.deepEqual(
      asked.filter(line => line.startsWith('POST')),
      [],
    );
  });
});

describe('the list of io.net', () => {
  const row = (id: number) => ({ id: `d${id.toString()}`, name: `n${id.toString()}`, status: 'running' });

  for (const first of [0, 1]) {
    it(`is read to its end where it does not say how many there are, counted from ${first.toString()}`, async () => {
      const pages = [[row(1), row(2)], [row(3), row(4)], [row(5)]];
      const { provider } = ionet(({ pathname, searchParams }) => {
        const number = Number(searchParams.get('page') ?? first);
        const rows = pathname.endsWith('/vmaas/deployments') ? (pages[number - first] ?? []) : [];
        return pathname.endsWith('/deployments') ? { data: rows } : { data: null };
      });
      assert.deepEqual(
        (await provider.list(signal)).map(({ id }) => id),
        ['d1', 'd2', 'd3', 'd4', 'd5'],
      );
    });
  }
});
