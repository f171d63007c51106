import assert from 'node:assert/strict';
import type { Approval } from '@hitch/contract';
import { ids, quote } from '../store/records.ts';
import { CliHarness } from './harness.ts';

describe('hitch approve', () => {
  let harness: CliHarness;
  beforeEach(async () => {
    harness = await CliHarness.start();
    harness.clusters.quoteById = () => ({
      ...quote().quote,
      lines: ['Rent 1× RTX 4090 on Practice?', '$0.42/h'],
      yes: 'Rent for up to $0.46/h',
      expiresAtMs: Date.UTC(2100, 0),
    });
  });
  afterEach(() => harness.close());

  const asked = (name: string): Promise<Approval> =>
    harness.served.page.api.approvals.ask({ kind: 'rent', quoteId: ids.next('quo'), name });
  const rented = () => harness.clusters.list().map(({ name }) => name);

  it('shows what a page asked for, and does it after a yes', async () => {
    await asked('from-a-page');
    const { code, stdout, stderr } = await harness.run(['approve'], { tty: true, stdin: 'y\r' });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Rent 1× RTX 4090 on Practice\?/);
    assert.match(stdout, /It is called from-a-page/);
    assert.match(stderr, /Rent for up to \$0\.46\/h\? \[y\/N\]/);
    assert.deepEqual(rented(), ['from-a-page']);
  });

  it('takes Enter for a no, and tells whoever asked', async () => {
    const { id } = await asked('from-a-page');
    const { code, stderr } = await harness.run(['approve'], { tty: true, stdin: '\r' });
    assert.equal(code, 6);
    assert.match(stderr, /Nothing was spent/);
    assert.equal((await harness.served.page.api.approvals.get({ approvalId: id })).state, 'declined');
    assert.deepEqual(rented(), []);
  });

  it('answers nothing where there is no person to ask', async () => {
    await asked('from-a-page');
    for (const args of [['approve'], ['approve', '--json']]) {
      const { code, stderr } = await harness.run(args, { stdin: 'y\n' });
      assert.equal(code, 6);
      assert.match(stderr, /This needs a person/);
    }
    assert.deepEqual(rented(), []);
  });

  it('wants the code where several wait, and names those that do', async () => {
    const [one, two] = [await asked('one'), await asked('two')];
    const which = await harness.run(['approve'], { tty: true });
    assert.notEqual(which.code, 0);
    assert.match(which.stderr, new RegExp(`${one.code}[^]*${two.code}`));
    const { code } = await harness.run(['approve', two.code.toUpperCase()], { tty: true, stdin: 'yes\r' });
    assert.equal(code, 0);
    assert.deepEqual(rented(), ['two']);
    assert.match(
      (await harness.run(['approve', 'zzzz'], { tty: true })).stderr,
      /No request with the code zzzz/,
    );
  });

  it('says so when nothing waits', async () => {
    const { code, stderr } = await harness.run(['approve'], { tty: true });
    assert.equal(code, 3);
    assert.match(stderr, /No request is waiting for approval/);
  });
});
