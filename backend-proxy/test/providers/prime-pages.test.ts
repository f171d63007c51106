/** Lists that come in pages, of a network whose pages do not fit together. */
import assert from 'node:assert/strict';
import { allPages } from '../../src/providers/prime/pages.ts';
import { ProviderError } from '../../src/providers/provider.ts';

interface Pod {
  readonly id: string;
}

const pods = (...numbers: readonly number[]): Pod[] =>
  numbers.map(number => ({ id: `pod${number.toString()}` }));

/** Answers with these pages, the last of them for ever. */
const answering = (total: number, ...pages: readonly (readonly Pod[])[]) => {
  const asked: number[] = [];
  return {
    asked,
    ask: async (offset: number, page: number) => {
      asked.push(offset);
      assert.ok(page < 10, 'it is asked without end');
      return { rows: pages[Math.min(page, pages.length) - 1] ?? [], total };
    },
  };
};

const byId = { idOf: ({ id }: Pod) => id, nextPage: undefined };
const isPartOnly = (error: unknown) => error instanceof ProviderError && error.kind === 'retryable';

describe('a list of Prime Intellect', () => {
  it('is whole where its pages are', async () => {
    const { ask, asked } = answering(3, pods(1, 2), pods(3));
    assert.deepEqual(await allPages(ask, byId), pods(1, 2, 3));
    assert.deepEqual(asked, [0, 2]);
  });

  for (const [title, total, ...pages] of [
    ['has one row twice, which was moved by one that began meanwhile', 4, pods(1, 2), pods(2, 3)],
    ['brings one page over and over', 1_000_000, pods(1, 2)],
    ['ends before it has what it counts', 5, pods(1, 2), pods(3), []],
  ] as const) {
    it(`is none where it ${title}`, async () => {
      await assert.rejects(allPages(answering(total, ...pages).ask, byId), isPartOnly);
    });
  }

  it('is read no further than it is wanted', async () => {
    const pages = [pods(1, 2), pods(3, 4)];
    const ask = async (_offset: number, page: number) => ({
      rows: pages[page - 1] ?? assert.fail('nobody wants it'),
      total: 1_000,
      isEnough: page === 2,
    });
    assert.deepEqual(await allPages(ask, byId), pods(1, 2, 3, 4));
  });

  it('may have rows that are alike, where nothing tells them apart, but no page twice', async () => {
    const plain = { idOf: null, nextPage: undefined };
    const alike = await allPages(answering(4, pods(1, 1), pods(2, 2)).ask, plain);
    assert.deepEqual(alike, pods(1, 1, 2, 2));
    await assert.rejects(allPages(answering(1_000_000, pods(1, 2)).ask, plain), isPartOnly);
  });
});
