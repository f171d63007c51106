import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError } from '@hitch/contract';
import { silentLog } from '../../src/platform/log.ts';
import { type LedgerFile, ledgerInMemory, ledgerOnDisk } from '../../src/store/ledger-file.ts';
import { type Purchase, PurchaseLedger } from '../../src/store/purchase-ledger.ts';
import { attempt, cluster, node } from './records.ts';

function purchase(name: string): Purchase {
  const mine = cluster({ name });
  const place = node(mine);
  return { cluster: mine, node: place, attempt: attempt(place) };
}

const refsIn = (ledger: PurchaseLedger): string[] => ledger.purchases().map(({ attempt: { ref } }) => ref);

describe('the ledger of purchases', () => {
  let folder = '';
  let path = '';
  const open = (file: LedgerFile = ledgerOnDisk(path)): PurchaseLedger => new PurchaseLedger(file, silentLog);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-ledger-'));
    path = join(folder, 'purchases.jsonl');
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('tells the next daemon what is open, as it was written last, and nothing that is over', async () => {
    const ledger = open();
    const [one, two] = [purchase('one'), purchase('two')];
    await Promise.all([ledger.intend(one), ledger.intend(two)]);
    ledger.over(two.attempt.ref);
    const changed = { ...one.cluster, desired: 'stopped' as const };
    ledger.changed(changed);
    ledger.stands(7);
    await ledger.look();
    const next = open();
    assert.deepEqual(next.purchases(), [{ ...one, cluster: changed }]);
    assert.deepEqual([next.lastEpoch, next.unreadable], [7, 0]);
    assert.equal(statSync(path).mode & 0o077, 0, 'it holds the bearers of agents');
  });

  it('knows the database that stood beside it last, also one that was made anew and begins again', async () => {
    const file = ledgerInMemory();
    for (const epoch of [7, 1, 2]) {
      const ledger = open(file);
      ledger.stands(epoch);
      await ledger.look();
    }
    assert.equal(open(file).lastEpoch, 2);
  });

  it('knows a purchase again that was over and is not, also when it could not be written at once', async () => {
    const file = ledgerInMemory();
    let isFull = false;
    const small: LedgerFile = {
      ...file,
      append: text => (isFull ? Promise.reject(new Error('full')) : file.append(text)),
    };
    const ledger = open(small);
    const [one, two] = [purchase('one'), purchase('two')];
    await ledger.intend(one);
    ledger.over(one.attempt.ref);
    await ledger.reopen(one);
    assert.deepEqual(refsIn(open(file)), [one.attempt.ref]);
    isFull = true;
    await ledger.reopen(two);
    assert.deepEqual(refsIn(open(file)), [one.attempt.ref]);
    await ledger.look();
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
    const ledger = open();
    const one = purchase('one');
    await ledger.intend(one);
    rmSync(path);
    await ledger.look();
    assert.deepEqual(refsIn(open()), [one.attempt.ref]);
  });

  it('is cut back when most of it is over', async () => {
    const ledger = open();
    for (let count = 0; count < 300; count++) {
      const each = purchase(`c-${count.toString()}`);
      await ledger.intend(each);
      ledger.over(each.attempt.ref);
    }
    await ledger.look();
    assert.ok(readFileSync(path, 'utf8').length < 100);
    assert.deepEqual(refsIn(open()), []);
  });

  it('lets nothing be rented that it cannot write, and writes what it owes later', async () => {
    const file = ledgerInMemory();
    let isFull = false;
    const small: LedgerFile = {
      ...file,
      append: text =>
        isFull
          ? Promise.reject(new HitchError('STORAGE_FULL', 'Cannot write: the disk is full.'))
          : file.append(text),
    };
    const ledger = open(small);
    const [one, two] = [purchase('one'), purchase('two')];
    await ledger.intend(one);
    isFull = true;
    await assert.rejects(ledger.intend(two), /the disk is full/);
    assert.deepEqual(refsIn(ledger), [one.attempt.ref]);
    ledger.over(one.attempt.ref);
    await ledger.look();
    assert.deepEqual(refsIn(open(file)), []);
  });

  it('loses no purchase that is intended while the file is written anew', async () => {
    const file = ledgerInMemory();
    let during: (() => void) | null = null;
    const slow: LedgerFile = {
      ...file,
      isWhole: () => during === null,
      replace: async text => {
        during?.();
        during = null;
        await new Promise(resolve => setImmediate(resolve));
        await file.replace(text);
      },
    };
    const ledger = open(slow);
    const [one, two] = [purchase('one'), purchase('two')];
    await ledger.intend(one);
    const intended = new Promise<void>((resolve, reject) => {
      during = () => void ledger.intend(two).then(resolve, reject);
    });
    await ledger.look();
    await intended;
    assert.deepEqual(refsIn(open(file)), [one.attempt.ref, two.attempt.ref]);
  });

  it('is written anew where it was lost, though something was added since', async () => {
    const ledger = open();
    const [one, two] = [purchase('one'), purchase('two')];
    await ledger.intend(one);
    rmSync(path);
    await ledger.intend(two);
    await ledger.look();
    assert.deepEqual(refsIn(open()), [one.attempt.ref, two.attempt.ref]);
  });
});
