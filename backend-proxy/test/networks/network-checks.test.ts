import assert from 'node:assert/strict';
import { type Cluster, HitchError, type NetworkInfo, type NetworkTest } from '@hitch/contract';
import { networkChecks } from '../../src/networks/network-checks.ts';

const NOW_MS = new Date(2026, 10, 22, 16, 20).getTime();
const login = {
  state: 'present',
  fields: [],
  neededFor: { offers: false, rent: true },
  scopes: [],
  keptIn: 'file',
  variables: {},
  problem: null,
} satisfies NetworkInfo['login'];
const network = (change: Partial<NetworkInfo> = {}): NetworkInfo => ({
  id: 'vast',
  title: 'Vast.ai',
  kind: 'network',
  verifiedLive: false,
  login,
  account: null,
  limits: [],
  bills: [],
  notOurs: [],
  machines: null,
  offers: 1207,
  fetchedAtMs: NOW_MS,
  problem: null,
  ...change,
});

const answered: NetworkTest = { message: 'Vast.ai accepts the login.', account: null, warning: null };
async function check(
  change: Partial<NetworkInfo>,
  { test = () => Promise.resolve(answered), clusters = [] as readonly Cluster[] } = {},
) {
  const [one, ...others] = await networkChecks({
    networks: [network(change)],
    clusters,
    test,
    nowMs: NOW_MS,
  });
  assert.deepEqual(others, []);
  return one;
}

describe('what the doctor says of a network', () => {
  it('is whether one is logged in, whether it answers, whether it is proven and what runs there', async () => {
    assert.deepEqual(await check({}), {
      name: 'vast',
      status: 'ok',
      message:
        'Vast.ai: logged in, it answers; 1,207 offers of 16:20; not yet verified live; nothing of yours runs there.',
      next: null,
    });
    const runs = { name: 'llm-dev', phase: 'ready', nodes: [{ provider: 'vast' }] } as Cluster;
    const gone = {
      ...runs,
      name: 'old',
      phase: 'stopped',
      conditions: { cleanup: { status: 'yes' } },
    } as Cluster;
    const { message = '' } = (await check({ verifiedLive: true }, { clusters: [runs, gone] })) ?? {};
    assert.match(message, /; verified live; llm-dev runs there\.$/);
  });

  it('names what is on the account that Hitch did not rent', async () => {
    const one = {
      id: '7',
      mark: null,
      status: 'running',
      pricePerHourMicroUsd: '400000',
      seenAtMs: NOW_MS,
    } as const;
    const { message = '' } = (await check({ notOurs: [one, { ...one, pricePerHourMicroUsd: null }] })) ?? {};
    assert.match(message, /; 2 machines on the account, \$0\.40\/h, not rented by Hitch and never touched/);
  });

  it('tells a refused login, a silent network and a missing login apart', async () => {
    const refused = await check(
      {},
      {
        test: () =>
          Promise.reject(
            new HitchError('LOGIN_NEEDED', 'Vast.ai does not accept the key.', { next: 'Log in again.' }),
          ),
      },
    );
    assert.deepEqual([refused?.status, refused?.next], ['problem', 'Log in again.']);
    assert.match(
      refused?.message ?? '',
      /^Vast\.ai: the login is refused; Vast\.ai does not accept the key; not yet/,
    );
    const silent = await check(
      {},
      { test: () => Promise.reject(new HitchError('PROVIDER_ERROR', 'Vast.ai did not answer.')) },
    );
    assert.deepEqual([silent?.status], ['warning']);
    assert.match(silent?.message ?? '', /logged in, but it does not answer; Vast\.ai did not answer;/);
    const untried = () => Promise.reject(new Error('it must not be asked'));
    const absent = await check({ login: { ...login, state: 'absent' } }, { test: untried });
    assert.equal(absent?.status, 'ok');
    assert.match(absent?.message ?? '', /^Vast\.ai: not logged in; 1,207 offers/);
    const cut = await check({ login: null, problem: 'It is down.', fetchedAtMs: null }, { test: untried });
    assert.equal(cut?.status, 'warning');
    assert.match(cut?.message ?? '', /^Vast\.ai: needs no login; It is down; /);
  });

  it('leaves out practice and machines of one’s own', async () => {
    const all = await networkChecks({
      networks: [network({ kind: 'practice' }), network({ kind: 'own' })],
      clusters: [],
      test: () => Promise.resolve(answered),
      nowMs: NOW_MS,
    });
    assert.deepEqual(all, []);
  });
});
