/** The simulator against the documentation: how it lies, when it is asked too often, and whom it answers. */
import assert from 'node:assert/strict';
import { boughtSchema, errorOf, rig } from './rig.ts';

describe('simulated Vast: lies', () => {
  it('answers an error and a contract, takes a machine back, starts none, names a state that nobody knows', async () => {
    const { clock, simulator, offers, rent, bought, show } = rig({ bootMs: 0 });
    const asks = (await offers()).map(({ id }) => id);
    const nextAsk = () => asks.shift() ?? 0;
    const lie = (of: Parameters<typeof simulator.lies.add>[0]['lie']) => {
      simulator.lies.clear();
      simulator.lies.add({ lie: of });
    };
    lie({ does: 'error-with-contract' });
    const answer = await rent(nextAsk());
    assert.equal(answer.status, 400);
    assert.ok(boughtSchema.parse(answer.body).new_contract > 0);
    lie({ does: 'never-runs' });
    const broken = await show(await bought(nextAsk()));
    assert.equal(broken?.actual_status, 'created');
    assert.match(broken.status_msg ?? '', /: OCI runtime create failed:/);
    lie({ does: 'status', word: 'frobnicating' });
    assert.equal((await show(await bought(nextAsk())))?.actual_status, 'frobnicating');
    lie({ does: 'host-ends', afterMs: 60_000 });
    const taken = await bought(nextAsk());
    clock.jump(60_000);
    assert.equal(await show(taken), null);
  });

  it('is refused by a rule of its own lies alone when none is set', async () => {
    const { first, bought, show } = rig({ bootMs: 0 });
    assert.equal((await show(await bought((await first()).id)))?.actual_status, 'running');
  });
});

describe('simulated Vast: limits', () => {
  it('refuses what comes too early with a plain text, each route for itself, and lets the next through in time', async () => {
    const { clock, ask, first, bought, destroy } = rig({ limits: true });
    const id = await bought((await first()).id);
    const get = () => ask('GET', `/api/v0/instances/${id.toString()}/`);
    assert.equal((await get()).status, 200);
    const refused = await get();
    assert.deepEqual(refused, { status: 429, body: 'API requests too frequent: endpoint threshold=2.0' });
    assert.equal((await destroy(id)).status, 200, 'another route');
    clock.jump(2_000);
    assert.equal((await get()).status, 200);
  });

  it('makes whoever rents too early wait longer', async () => {
    const { clock, offers, rent } = rig({ limits: true });
    const all = await offers();
    const one = all[0];
    const two = all.find(({ machine_id }) => machine_id !== one?.machine_id);
    assert.ok(one !== undefined && two !== undefined);
    assert.equal((await rent(one.id)).status, 200);
    clock.jump(1_000);
    assert.equal((await rent(two.id)).status, 429);
    clock.jump(5_000);
    assert.equal((await rent(two.id)).status, 429);
    clock.jump(12_000);
    assert.equal((await rent(two.id)).status, 200);
  });

  it('has a number of searches a day, until midnight', async () => {
    const { clock, ask } = rig({ searchesPerDay: 2 });
    const search = () => ask('POST', '/api/v0/bundles/', { body: {} });
    await search();
    await search();
    const refused = await search();
    assert.deepEqual(errorOf(refused), { status: 429, error: 'search_quota_exceeded' });
    clock.jump(Number(refused.headers?.['x-ratelimit-reset']) * 1000 - clock.now());
    assert.equal((await search()).status, 200);
  });
});

describe('simulated Vast: who asks', () => {
  it('says 403 without a login, and 401 or 404 for a key that nobody has', async () => {
    const { ask } = rig();
    assert.deepEqual(errorOf(await ask('GET', '/api/v0/users/current/', { key: null })), {
      status: 403,
      error: 'auth_error',
    });
    assert.equal((await ask('GET', '/api/v0/users/current/', { key: 'wrong' })).status, 401);
    assert.equal((await ask('GET', '/api/v0/charges/', { key: 'wrong' })).status, 404);
  });

  it('is strict with our own adapter and lenient with everybody else', async () => {
    const { simulator, ask, first } = rig();
    const path = `/api/v0/asks/${(await first()).id.toString()}/`;
    const body = { image: 'ubuntu:24.04', disk: 20, label: 'x', create_from: null, python_utf8: false };
    assert.equal((await ask('PUT', path, { body, agent: 'hitch' })).status, 400);
    assert.match(simulator.complaints.join(), /create_from/);
    assert.equal((await ask('PUT', path, { body })).status, 200);
    assert.equal((await ask('GET', '/api/v0/users/current', { agent: 'hitch' })).status, 400);
    assert.equal((await ask('GET', '/api/v0/users/current')).status, 200);
    assert.equal(simulator.complaints.length, 2);
  });

  it('lets the key of a container do what concerns that container, and nothing else', async () => {
    const { simulator, ask, first, bought } = rig();
    const [mine, other] = [await bought((await first()).id), await bought((await first()).id)];
    const key = simulator.market.contract(mine)?.ownKey ?? '';
    const path = (id: number) => `/api/v0/instances/${id.toString()}/`;
    assert.equal((await ask('GET', path(mine), { key })).status, 200);
    assert.equal((await ask('DELETE', path(other), { key, body: {} })).status, 403);
    assert.equal((await ask('GET', '/api/v1/instances/', { key })).status, 403);
    assert.equal((await ask('DELETE', path(mine), { key, body: {} })).status, 200);
  });
});
