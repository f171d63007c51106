import assert from 'node:assert/strict';
import type { Execution, NotebookOutput } from '@hitch/contract';
import { readPage } from '../../src/agent/kernels/execution-pages.ts';
import type { ExecutionEntry } from '../../src/agent/kernels/executions.ts';
import { assertTaken, entry, OneJournal } from './one-journal.ts';

const MiB = 1024 * 1024;

describe('hostile amounts of output: an execution in pages', function () {
  this.timeout(120_000);
  let one: OneJournal;

  beforeEach(async () => {
    one = await OneJournal.open();
  });

  afterEach(() => one.dispose());

  const put = (type: string, content: Readonly<Record<string, unknown>>, execution = 1): number =>
    one.put(type, content, execution);
  const print = (text: string, execution = 1): number => one.print(text, execution);

  /** All pages; each is what the daemon takes. */
  const pagesOf = async (
    asked: ExecutionEntry,
    between: () => Promise<void> = () => Promise.resolve(),
  ): Promise<Execution[]> => {
    await one.journal.flush();
    const pages: Execution[] = [];
    for (let next: string | undefined, more = true; more; more = next !== undefined) {
      const page = await readPage(one.journal, 'k', asked, next);
      assertTaken([page]);
      pages.push(page);
      ({ next } = page);
      await between();
    }
    return pages;
  };

  const textOf = (outputs: readonly NotebookOutput[]): string =>
    outputs.map(({ text }) => (typeof text === 'string' ? text : '')).join('');
  const allText = (pages: readonly Execution[]): string => textOf(pages.flatMap(({ outputs }) => outputs));
  const sameText = (is: string, should: string): void => {
    // A comparison by assert.equal would print both.
    assert.ok(is === should, `${is.length.toString()} characters instead of ${should.length.toString()}`);
  };

  it('gives all 40 MB of several executions, each line once and in order', async () => {
    const wanted = new Map([1, 2, 3, 4].map(number => [number, '']));
    const first = one.journal.lastSeq + 1;
    for (const number of wanted.keys()) {
      put('execute_request', { code: `code ${number.toString()}` }, number);
    }
    for (let n = 0; n < 400; n++) {
      const number = (n % 4) + 1;
      const text = `${n.toString()} äöü "quoted" \u001b[0m 🙂\n`.repeat(3_000);
      wanted.set(number, (wanted.get(number) ?? '') + text);
      print(text, number);
      await one.journal.flush();
    }
    for (const [number, text] of wanted) {
      const pages = await pagesOf(entry(number, first + number - 1));
      assert.ok(pages.length > 1);
      assert.equal(pages[0]?.code, `code ${number.toString()}`);
      assert.deepEqual(new Set(pages.map(({ droppedBytes }) => droppedBytes)), new Set([0]));
      sameText(allText(pages), text);
    }
  });

  it('tells one message that is longer than a page, and no half of a character', async () => {
    const seq = put('execute_request', { code: '' });
    const text = '🙂\u0000"\\\n'.repeat(MiB);
    print(text);
    const pages = await pagesOf(entry(1, seq));
    assert.ok(pages.length > 3);
    sameText(allText(pages), text);
    for (const { outputs } of pages) {
      assert.doesNotMatch(textOf(outputs).slice(-1), /[\ud800-\udbff]/);
    }
  });

  it('tells it as it was when the first page was asked for, whatever comes in between', async () => {
    const seq = put('execute_request', { code: '' });
    print('cleared');
    put('clear_output', { wait: true });
    print('a'.repeat(12 * MiB));
    print('end');
    const pages = await pagesOf(entry(1, seq), async () => {
      print('later');
      put('clear_output', { wait: false });
      await one.journal.flush();
    });
    sameText(allText(pages), `${'a'.repeat(12 * MiB)}end`);
    assert.equal(new Set(pages.map(({ lastSeq }) => lastSeq)).size, 1);
  });

  it('shows the latest of a display that is updated on a later page', async () => {
    const seq = put('execute_request', { code: '' });
    const display = (text: string) => ({
      data: { 'text/plain': text },
      metadata: {},
      transient: { display_id: 'd' },
    });
    put('display_data', display('old'));
    print('a'.repeat(12 * MiB));
    put('update_display_data', display('latest'), 2);
    const [first] = await pagesOf(entry(1, seq));
    assert.deepEqual(first?.outputs[0]?.['data'], { 'text/plain': 'latest' });
  });

  it('counts an output that no page has room for, and goes on behind it', async () => {
    const seq = put('execute_request', { code: '' });
    put('display_data', { data: { 'image/png': 'A'.repeat(7 * MiB) }, metadata: {} });
    print('behind');
    const pages = await pagesOf(entry(1, seq, 5));
    sameText(allText(pages), 'behind');
    assert.ok((pages[0]?.droppedBytes ?? 0) > 7 * MiB);
  });
});
