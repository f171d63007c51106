/** Answers of RunPod that its simulator does not give. */
import assert from 'node:assert/strict';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { ProviderError } from '../../../src/providers/provider.ts';
import { RunpodProvider } from '../../../src/providers/runpod/runpod-provider.ts';

const { signal } = new AbortController();

/** An adapter that gets these answers, by the ends of their paths. */
const runpod = (answers: Readonly<Record<string, object>>): RunpodProvider =>
  new RunpodProvider({
    base: 'https://runpod.example',
    clock: new VirtualClock(),
    login: () => Promise.resolve({ apiKey: 'a-key-of-the-test' }),
    transport: ({ url }) => {
      const { pathname } = new URL(url);
      const text = JSON.stringify(answers[pathname] ?? {});
      return Promise.resolve({ status: 200, headers: { 'content-type': 'application/json' }, text });
    },
  });

const pod = (of: object): object => ({
  id: 'p1',
  name: 'hitch-1',
  status: 'RUNNING',
  cost: 2,
  runtime: {},
  ...of,
});

describe('the list of RunPod', () => {
  it('shows a cluster for as long as its pods are there, also where its own list has it no more', async () => {
    const member = (rank: number, status: string) =>
      pod({ id: `m${rank.toString()}`, status, cluster: { id: 'c1', rank } });
    const listed = (status: string) =>
      runpod({
        '/v2/pods': { pods: [member(0, status), member(1, 'TERMINATED')] },
        '/v2/clusters': { clusters: [] },
      }).list(signal);
    assert.deepEqual(
      (await listed('RUNNING')).map(({ id, mark, status }) => [id, mark, status]),
      [['clusters/c1', null, 'running']],
    );
    assert.deepEqual(await listed('TERMINATED'), []);
  });

  it('has all marks where something else about one of them is odd', async () => {
    const odd = { cost: -1, createdAt: 'today', gpu: { id: 7 }, ssh: { direct: { port: 'x' } }, disk: 'big' };
    const provider = runpod({
      '/v2/pods': { pods: [pod(odd), pod({ id: 'p2', name: 'hitch-2' })] },
      '/v2/clusters': { clusters: [{ id: 'c1', name: 'hitch-3', createdAt: 'today' }] },
    });
    assert.deepEqual(
      (await provider.list(signal)).map(({ id, mark }) => [id, mark]),
      [
        ['p1', 'hitch-1'],
        ['p2', 'hitch-2'],
        ['clusters/c1', 'hitch-3'],
      ],
    );
  });
});

describe('an account at RunPod', () => {
  for (const [said, kind] of [
    ['Unauthorized', 'auth'],
    ['This API key has no permission for it.', 'auth'],
    ['Something went wrong. Please try again later.', 'retryable'],
  ] as const) {
    it(`that is not shown, with “${said}”, is ${kind}`, async () => {
      const provider = runpod({ '/graphql': { data: { myself: null }, errors: [{ message: said }] } });
      await assert.rejects(
        provider.account(signal),
        error =>
          error instanceof ProviderError && error.kind === kind && error.message.includes(said.slice(0, -1)),
      );
    });
  }
});
