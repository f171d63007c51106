import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { amount, type CopyPlan, movedWords, planFetch, planSend, settle } from '../src/files/copies.ts';
import { RemoteStandIn } from './remote-stand-in.ts';
import { CLUSTER_ID } from './sample.ts';

describe('a copy between this computer and a cluster', () => {
  const remote = new RemoteStandIn();
  const { api } = remote.wire;
  let here = '';

  beforeEach(() => {
    remote.clear();
    here = mkdtempSync(join(tmpdir(), 'hitch-copies-'));
    mkdirSync(join(here, 'data', '.git'), { recursive: true });
    writeFileSync(join(here, 'data', 'x.csv'), 'one');
    writeFileSync(join(here, 'data', 'y.csv'), 'three');
    writeFileSync(join(here, 'data', '.git', 'HEAD'), 'ref');
    writeFileSync(join(here, 'train.py'), 'print()');
  });

  afterEach(() => rmSync(here, { recursive: true, force: true }));

  const send = (folder = ''): Promise<CopyPlan> =>
    planSend(api, CLUSTER_ID, [join(here, 'data'), join(here, 'train.py')], folder);
  const targets = (plan: CopyPlan): string[] =>
    plan.files.map(({ to, inTheWay }) => `${to}${inTheWay ? ' !' : ''}`);

  it('is planned with every folder, and leaves out what is of no use there', async () => {
    const plan = await send('in');
    assert.deepEqual(targets(plan), ['in/data/x.csv', 'in/data/y.csv', 'in/train.py']);
    assert.deepEqual(plan.folders, ['in', 'in/data']);
    assert.deepEqual(plan.leftOut, ['data/.git is left out.']);
    assert.equal(amount(plan), '3 files, 15 bytes');
    assert.equal(movedWords(plan, { doneFiles: 1, doneBytes: 3 }), '3 bytes of 15 bytes, 1 of 3 files');
  });

  it('knows what stands in the way there, and does as it is told about it', async () => {
    remote.put('data', 0);
    remote.clear();
    await remote.files.makeFolder({ path: 'data' });
    remote.put('data/x.csv', 9);
    remote.put('data/x-1.csv', 9);
    const plan = await send();
    assert.deepEqual(targets(plan), ['data/x.csv !', 'data/y.csv', 'train.py']);
    assert.deepEqual(targets(settle(plan, 'skip')), ['data/y.csv', 'train.py']);
    assert.deepEqual(targets(settle(plan, 'keep-both')), ['data/x-2.csv', 'data/y.csv', 'train.py']);
    assert.deepEqual(targets(settle(plan, 'replace')), targets(plan));
  });

  it('is refused where a file would take the place of a folder', async () => {
    await remote.files.makeFolder({ path: 'train.py' });
    await assert.rejects(send(), /train\.py is a folder on the cluster and a file here/);
  });

  it('comes from there into a folder here, and keeps both where one stands in the way', async () => {
    await remote.files.makeFolder({ path: 'data' });
    remote.put('data/x.csv', 4);
    remote.put('data/new.csv', 4);
    const plan = await planFetch(api, CLUSTER_ID, ['data'], here);
    assert.deepEqual(
      plan.files.map(({ to, inTheWay }) => [to, inTheWay]),
      [
        [join(here, 'data', 'x.csv'), true],
        [join(here, 'data', 'new.csv'), false],
      ],
    );
    const [kept] = settle(plan, 'keep-both').files;
    assert.equal(kept?.to, join(here, 'data', 'x-1.csv'));
  });
});
