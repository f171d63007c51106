import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareHome } from '@hitch/client-node/src/prepare-home.ts';
import { takeStore } from '../../src/daemon/take-store.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { type Home, homeAt } from '@hitch/platform/src/paths.ts';
import { DiskReserve } from '@hitch/platform/src/reserve.ts';
import { purchasesOnDisk } from '../../src/store/purchase-file.ts';
import { PurchaseLog } from '../../src/store/purchase-log.ts';

describe('the store that a daemon takes', function () {
  this.timeout(60_000);
  let home: Home;

  beforeEach(() => {
    home = homeAt(mkdtempSync(join(tmpdir(), 'hitch-take-')));
    prepareHome(home);
  });

  afterEach(() => rmSync(home.root, { recursive: true, force: true }));

  /** One daemon's life. @returns why the store is not the one that was here last; null: it is. */
  const lived = async (): Promise<string | null> => {
    const purchaseLog = new PurchaseLog(purchasesOnDisk(home.purchases), silentLog);
    const { store, snapshot, lost } = await takeStore({
      home,
      clock: new VirtualClock(),
      log: silentLog,
      reserve: new DiskReserve(home.reserve, silentLog),
      purchaseLog,
    });
    purchaseLog.stands(snapshot.leaseEpoch);
    await purchaseLog.look();
    await store.close();
    return lost?.why ?? null;
  };

  const remove = (): void => {
    for (const end of ['', '-wal', '-shm']) {
      rmSync(`${home.store}${end}`, { force: true });
    }
  };

  it('is said to be gone once where it is gone, and the next ones are not said to be older', async () => {
    assert.deepEqual([await lived(), await lived(), await lived(), await lived()], [null, null, null, null]);
    remove();
    assert.equal(await lived(), 'that was here is gone');
    assert.deepEqual([await lived(), await lived(), await lived()], [null, null, null]);
  });

  it('is said to be older where an older one stands in its place', async () => {
    assert.equal(await lived(), null);
    const older = `${home.store}.older`;
    copyFileSync(home.store, older);
    assert.deepEqual([await lived(), await lived()], [null, null]);
    remove();
    copyFileSync(older, home.store);
    assert.equal(await lived(), 'is older than the one that was here last');
    assert.equal(await lived(), null);
  });
});
