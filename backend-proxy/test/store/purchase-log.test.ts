import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError } from '@hitch/contract';
import { silentLog } from '@hitch/platform/src/log.ts';
import { type PurchaseFile, purchasesInMemory, purchasesOnDisk } from '../../src/store/purchase-file.ts';
import { type Purchase, PurchaseLog } from '../../src/store/purchase-log.ts';
import { attempt, cluster, node } from './records.ts';

function purchase(name: string): Purchase {
  const mine = cluster({ name });
  const place = node(mine);
  return { cluster: mine, node: place, others: [], attempt: attempt(place) };
}

const refsIn = (purchaseLog: PurchaseLog): string[] =>
  purchaseLog.purchases().map(({ attempt: { ref } }) => ref);

describe('the purchase log', () => {
  let folder = '';
  let path = '';
  const open = (file: PurchaseFile = purchasesOnDisk(path)): PurchaseLog => new PurchaseLog(file, silentLog);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-purchases-'));
    path = join(folder, 'purchases.jsonl');
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('tells the next daemon what is open, as it was written last, and nothing that is over', async () => {
    const purchaseLog = open();
    const [one, two] = [purchase('one'), purchase('two')];
    await Promise.all([purchaseLog.intend(one), purchaseLog.intend(two)]);
    purchaseLog.over(two.attempt.ref, null);
    const changed = { ...one.cluster, desired: 'stopped' as const };
    purchaseLog.changed(changed);
    purchaseLog.stands(7);
    await purchaseLog.look();
    const next = open();
    assert.deepEqual(next.purchases(), [{ ...one, cluster: changed }]);
    assert.deepEqual([next.lastEpoch, next.unreadable], [7, 0]);
    assert.equal(statSync(path).mode & 0o077, 0, 'it holds the bearers of agents');
  });

  it('knows the database that stood beside it last, also one that was made anew and begins again', async () => {
    const file = purchasesInMemory();
    for (const epoch of [7, 1, 2]) {
      const purchaseLog = open(file);
      purchaseLog.stands(epoch);
      await purchaseLog.look();
    }
    assert.equal(open(file).lastEpoch, 2);
  });

  it('knows a purchase again that was over and is not, also when it could not be written at once', async () => {
    const file = purchasesInMemory();
    let isFull = false;
    const small: PurchaseFile = {
      ...file,
      append: text => (isFull ? Promise.reject(new Error('full')) : file.append(text)),
    };
    const purchaseLog = open(small);
    const [one, two] = [purchase('one'), purchase('two')];
    await purchaseLog.intend(one);
    purchaseLog.over(one.attempt.ref, null);
    await purchaseLog.reopen(one);
    assert.deepEqual(refsIn(open(file)), [one.attempt.ref]);
    isFull = true;
    await purchaseLog.reopen(two);
    assert.deepEqual(refsIn(open(file)), [one.attempt.ref]);
    await purchaseLog.look();
    assert.deepEqual(refsIn(open(file)), [one.attempt.ref, two.attempt.ref]);
  });

  it('is not spoilt by a line that a daemon died over, and says which lines it cannot read', async () => {
    const one = purchase('one');
    await open().intend(one);
    appendFileSync(path, '{"kind":"bought","cluster":{"id":');
    const second = open();
    assert.equal(second.unreadable, 0, 'nothing was rented for it');
    const two = purchase('two');
    await second.intend(two);
    const third = open();
    assert.deepEqual(refsIn(third), [one.attempt.ref, two.attempt.ref]);
    assert.equal(third.unreadable, 1);
  });

  it('is written anew when its file is lost', async () => {
    const purchaseLog = open();
    const one = purchase('one');
    await purchaseLog.intend(one);
    rmSync(path);
    await purchaseLog.look();
    assert.deepEqual(refsIn(open()), [one.attempt.ref]);
  });

  it('is cut back when most of it is over', async () => {
    const purchaseLog = open();
    for (let count = 0; count < 300; count++) {
      const each = purchase(`c-${count.toString()}`);
      await purchaseLog.intend(each);
      purchaseLog.over(each.attempt.ref, null);
    }
    await purchaseLog.look();
    assert.ok(readFileSync(path, 'utf8').length < 100);
    assert.deepEqual(refsIn(open()), []);
  });

  it('lets nothing be rented that it cannot write, and writes what it owes later', async () => {
    const file = purchasesInMemory();
    let isFull = false;
    const small: PurchaseFile = {
      ...file,
      append: text =>
        isFull
          ? Promise.reject(new HitchError('STORAGE_FULL', 'Cannot write: the disk is full.'))
          : file.append(text),
    };
    const purchaseLog = open(small);
    const [one, two] = [purchase('one'), purchase('two')];
    await purchaseLog.intend(one);
    isFull = true;
    await assert.rejects(purchaseLog.intend(two), /the disk is full/);
    assert.deepEqual(refsIn(purchaseLog), [one.attempt.ref]);
    purchaseLog.over(one.attempt.ref, null);
    await purchaseLog.look();
    assert.deepEqual(refsIn(open(file)), []);
  });

  it('loses no purchase that is intended while the file is written anew', async () => {
    const file = purchasesInMemory();
    let during: (() => void) | null = null;
    const slow: PurchaseFile = {
      ...file,
      isWhole: () => during === null,
      replace: async text => {
        during?.();
        during = null;
        await new Promise(resolve => setImmediate(resolve));
        await file.replace(text);
      },
    };
    const purchaseLog = open(slow);
    const [one, two] = [purchase('one'), purchase('two')];
    await purchaseLog.intend(one);
    const intended = new Promise<void>((resolve, reject) => {
      during = () => void purchaseLog.intend(two).then(resolve, reject);
    });
    await purchaseLog.look();
    await intended;
    assert.deepEqual(refsIn(open(file)), [one.attempt.ref, two.attempt.ref]);
  });

  it('is written anew where it was lost, though something was added since', async () => {
    const purchaseLog = open();
    const [one, two] = [purchase('one'), purchase('two')];
    await purchaseLog.intend(one);
    rmSync(path);
    await purchaseLog.intend(two);
    await purchaseLog.look();
    assert.deepEqual(refsIn(open()), [one.attempt.ref, two.attempt.ref]);
  });
});
