import assert from 'node:assert/strict';
import { priceOf } from '../../../src/providers/provider.ts';
import { type Answered, failureOf, instanceRow, signal, vast } from './api.ts';

const shown = async (of: object = {}) =>
  vast({ body: { instances: instanceRow(of) } }).provider.get('5500123', signal);

describe('a machine at Vast.ai', () => {
  it('is shown with what was rented, what it costs by part and where ssh leads', async () => {
    const instance = await shown();
    assert.deepEqual(instance, {
      id: '5500123',
      mark: 'hitch-abc',
      status: 'running',
      members: [
        {
          id: '5500123',
          rank: 0,
          status: 'running',
          ssh: { kind: 'rented', host: '198.51.100.7', port: 40_022, user: 'root', hostKeys: null },
          privateAddress: null,
        },
      ],
      rates: [
        { label: 'Disk', perHourMicroUsd: 15_000n, fromMs: 1_762_000_000_500 },
        { label: 'GPU', perHourMicroUsd: 600_000n, fromMs: null },
      ],
      got: { gpuModel: 'RTX 4090', gpuCount: 2, market: 'on_demand', trust: 'verified' },
      endsAtMs: 1_772_000_000_000,
      message: 'Vast.ai says: running, success, running vastai/base-image.',
    });
  });

  it('is asked for by its id, with the login', async () => {
    const { provider, asked } = vast({ body: { instances: instanceRow() } });
    await provider.get('5500123', signal);
    assert.equal(asked[0]?.path, '/api/v0/instances/5500123/');
    assert.equal(asked[0].headers['authorization'], 'Bearer a-key-of-the-test');
  });

  it('is gone where the network answers nothing, and where it knows no such id', async () => {
    for (const answer of [
      { body: { instances: null } },
      { status: 404, body: { success: false, error: 'no_such_instance' } },
    ]) {
      const { provider } = vast(answer);
      const { status, members, rates } = await provider.get('1', signal);
      assert.deepEqual([status, members, rates], ['gone', [], []]);
    }
  });

  it('is not gone where nobody knows', async () => {
    for (const answer of [
      { body: {} },
      { status: 500, body: { success: false } },
      { body: '<!doctype html><title>Welcome', headers: { 'content-type': 'text/html' } },
    ] satisfies Answered[]) {
      assert.equal((await failureOf(vast(answer).provider.get('1', signal))).kind, 'retryable');
    }
  });

  const statuses: readonly (readonly [object, string, boolean])[] = [
    [{ actual_status: null }, 'booting', true],
    [{ actual_status: 'created' }, 'booting', true],
    [{ actual_status: 'loading' }, 'booting', true],
    [{ actual_status: 'running' }, 'running', false],
    [{ actual_status: 'exited' }, 'stopped', false],
    [{ actual_status: 'offline' }, 'unknown', false],
    [{ actual_status: 'unknown' }, 'unknown', false],
    [{ actual_status: 'meditating' }, 'unknown', false],
    [{ cur_state: 'stopped', intended_status: 'stopped', next_state: 'stopped' }, 'stopped', true],
    [{ cur_state: 'stopped', intended_status: 'running' }, 'running', false],
    [{ actual_status: 'created', status_msg: 'Error: OCI runtime create failed: x' }, 'stopped', true],
  ];
  for (const [of, status, isAhead] of statuses) {
    it(`is ${status}, and its GPU is ${isAhead ? 'not charged' : 'charged'}: ${JSON.stringify(of)}`, async () => {
      const instance = await shown(of);
      assert.equal(instance.status, status);
      assert.deepEqual(
        instance.rates.map(rate => rate.isAhead === true),
        [false, isAhead],
      );
      assert.equal(priceOf(instance), 615_000n);
      assert.equal(instance.members[0]?.ssh === null, status !== 'running');
    });
  }

  it('says that it will never start, and that it was stopped', async () => {
    const dead = await shown({
      actual_status: 'created',
      status_msg: ': OCI runtime create failed: no GPU.',
    });
    assert.match(dead.message, /could not start the container, and will not: : OCI runtime .* no GPU\.$/);
    const halted = { cur_state: 'stopped', intended_status: 'stopped', next_state: 'stopped' };
    assert.match((await shown({ ...halted, is_bid: true })).message, /somebody bid more.*charged on\.$/);
  });

  const ways: readonly (readonly [object, readonly [string, number] | null])[] = [
    [{ ports: {} }, ['ssh9.vast.example', 31_010]],
    [{ ports: null }, ['ssh9.vast.example', 31_010]],
    [{ ports: [8080] }, ['ssh9.vast.example', 31_010]],
    [{ ports: { '22/tcp': null } }, ['ssh9.vast.example', 31_010]],
    [{ ports: {}, ssh_port: '31010' }, ['ssh9.vast.example', 31_010]],
    [{ ports: {}, image_runtype: 'jupyter_direc ssh_direc ssh_proxy' }, ['ssh9.vast.example', 31_011]],
    [{ public_ipaddr: null }, ['ssh9.vast.example', 31_010]],
    [{ ports: {}, ssh_host: null }, null],
    [{ ports: {}, ssh_port: null }, null],
  ];
  for (const [of, expected] of ways) {
    it(`is reached ${expected === null ? 'nowhere yet' : expected.join(':')}: ${JSON.stringify(of)}`, async () => {
      const ssh = (await shown(of)).members[0]?.ssh ?? null;
      const place = ssh?.kind === 'rented' ? [ssh.host, ssh.port] : null;
      assert.deepEqual(place, expected);
    });
  }

  it('was rented as spot, of a data centre, with the disk’s price by its size', async () => {
    const instance = await shown({
      is_bid: true,
      hosting_type: 1,
      dph_total: 0.300001,
      storage_total_cost: null,
      storage_cost: 0.216,
      disk_space: 10.5,
    });
    assert.deepEqual(instance.got?.market, 'spot');
    assert.deepEqual(instance.got?.trust, 'data_center');
    assert.deepEqual(
      instance.rates.map(({ perHourMicroUsd }) => perHourMicroUsd),
      [3_150n, 296_851n],
    );
  });

  it('says nothing of its price where the network says none', async () => {
    assert.deepEqual((await shown({ dph_total: null })).rates, []);
  });
});

describe('machines of an account at Vast.ai', () => {
  const page = (ids: readonly number[], of: object) => ({
    body: { success: true, instances: ids.map(id => instanceRow({ id, label: null })), ...of },
  });

  it('are listed page by page, each in its turn, with what carries no mark', async () => {
    const turns: number[] = [];
    const { provider, asked } = vast(
      page([1, 2], { next_token: 'abc', total_instances: 3 }),
      page([3], { next_token: null, total_instances: 3 }),
    );
    const listed = await provider.list(signal, () => {
      turns.push(asked.length);
      return Promise.resolve();
    });
    assert.deepEqual(
      listed.map(({ id, mark }) => [id, mark]),
      [
        ['1', null],
        ['2', null],
        ['3', null],
      ],
    );
    assert.deepEqual(turns, [1]);
    assert.deepEqual(
      asked.map(({ path, query }) => [path, query.get('limit'), query.get('after_token')]),
      [
        ['/api/v1/instances/', '25', null],
        ['/api/v1/instances/', '25', 'abc'],
      ],
    );
  });

  it('are no list where a part is missing', async () => {
    for (const answers of [
      [page([1], { next_token: null, total_instances: 2 })],
      [page([1], { next_token: 'abc' }), { status: 500, body: {} }],
      [page([1], { next_token: 'abc' }), page([2], { next_token: 'abc' })],
      [page([1], { success: false })],
      // One of the first page ends before the second is asked for: with it what follows moves, and 3 is on neither.
      [
        page([1, 2], { next_token: 'abc', total_instances: 4 }),
        page([4], { next_token: null, total_instances: 3 }),
      ],
      [{ body: { success: true, instances: [{ label: 'no id' }] } }],
    ]) {
      assert.equal((await failureOf(vast(...answers).provider.list(signal))).kind, 'retryable');
    }
  });

  it('are listed with their marks where something else about one of them is odd', async () => {
    const odd = {
      num_gpus: -1,
      dph_total: 'a lot',
      is_bid: 1,
      actual_status: 7,
      ssh_port: {},
      verification: [],
      start_date: 'today',
    };
    const instances = [instanceRow(odd), instanceRow({ id: 2, label: 'hitch-2' })];
    const { provider } = vast({ body: { success: true, instances, next_token: null } });
    assert.deepEqual(
      (await provider.list(signal)).map(({ id, mark, status, rates }) => [id, mark, status, rates.length]),
      [
        ['5500123', 'hitch-abc', 'unknown', 0],
        ['2', 'hitch-2', 'running', 2],
      ],
    );
  });

  it('are ended, and what is gone already is', async () => {
    for (const answer of [
      { body: { success: true } },
      { body: { success: false, error: 'no_such_instance' } },
      { status: 404, body: { success: false, error: 'not_found' } },
    ] satisfies Answered[]) {
      const { provider, asked } = vast(answer);
      await provider.destroy('5500123', signal);
      const [end] = asked;
      assert.deepEqual([end?.method, end?.path, end?.body], ['DELETE', '/api/v0/instances/5500123/', {}]);
    }
  });

  it('are not ended where the answer does not say so', async () => {
    for (const [answer, kind] of [
      [{ body: { success: false, msg: 'try again' } }, 'unknownOutcome'],
      [{ status: 503, body: 'busy' }, 'unknownOutcome'],
      [{ status: 401, body: { success: false } }, 'auth'],
      [{ status: 429, body: 'API requests too frequent: endpoint threshold=3.0' }, 'retryable'],
    ] as const) {
      assert.equal((await failureOf(vast(answer).provider.destroy('1', signal))).kind, kind);
    }
  });
});
