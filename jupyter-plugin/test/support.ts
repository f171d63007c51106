/** What several tests need of JupyterLab and of the daemon. */
import { type Copy, copySchema } from '@hitch/contract';
import type { TranslationBundle } from '@jupyterlab/translation';

const filled = (text: string, values: readonly unknown[]): string =>
  text.replaceAll(/%(\d)/g, (_, place: string) => String(values[Number(place) - 1]));

/** JupyterLab's own does not load outside a page; of it only this is used. */
export const trans = {
  __: (text: string, ...values: readonly unknown[]) => filled(text, values),
  _n: (one: string, many: string, count: number, ...values: readonly unknown[]) =>
    filled(count === 1 ? one : many, [count, ...values]),
} as unknown as TranslationBundle;

export function testCopy(changes: Partial<Copy> = {}): Copy {
  const plain: unknown = {
    id: 'cop_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    clusterId: 'clu_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    kind: 'send',
    state: 'done',
    sources: ['data'],
    target: '',
    files: 3,
    bytes: 3_000,
    inTheWay: { count: 0, names: [] },
    doneFiles: 3,
    doneBytes: 3_000,
    startedAtMs: 0,
    endedAtMs: 1,
    account: { copiedFiles: 3, copiedBytes: 3_000, sameFiles: 0, outcomes: {} },
    problem: null,
  };
  return { ...copySchema.parse(plain), ...changes };
}
