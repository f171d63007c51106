import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError } from '@hitch/contract';
import { silentLog } from '../src/log.ts';
import { DiskReserve, RESERVE_BYTES, withRoom } from '../src/reserve.ts';

describe('the room that is kept back on the disk', () => {
  let folder = '';
  let file = '';
  let reserve: DiskReserve;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-reserve-'));
    file = join(folder, 'reserve');
    reserve = new DiskReserve(file, silentLog);
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is really taken, given back once, and kept again when there is room', () => {
    reserve.keep();
    const { size, blocks } = statSync(file);
    assert.equal(size, RESERVE_BYTES);
    assert.ok(blocks * 512 >= RESERVE_BYTES, 'no hole');
    assert.equal(reserve.isGiven, false);
    assert.equal(reserve.give(), true);
    assert.ok(!existsSync(file) && reserve.isGiven);
    assert.equal(reserve.give(), false);
    reserve.keep();
    assert.ok(existsSync(file) && !reserve.isGiven);
  });

  it('is given for a write that finds the disk full, and for no other failure', () => {
    reserve.keep();
    let tries = 0;
    withRoom(reserve, () => {
      tries += 1;
      if (tries === 1) {
        throw new HitchError('STORAGE_FULL', 'full');
      }
    });
    assert.equal(tries, 2);
    assert.ok(reserve.isGiven);
    reserve.keep();
    assert.throws(
      () =>
        withRoom(reserve, () => {
          throw new HitchError('INTERNAL', 'broken');
        }),
      /broken/,
    );
    assert.equal(reserve.isGiven, false);
  });

  it('has nothing to give where it cannot be removed, and fails nobody who asks', () => {
    mkdirSync(file);
    assert.equal(reserve.give(), false);
    assert.ok(reserve.isGiven);
  });

  it('stays given where what is written is not kept, however much room there is', () => {
    reserve.keep();
    reserve.giveForGood();
    reserve.keep();
    assert.ok(reserve.isGiven && !existsSync(file));
  });
});
