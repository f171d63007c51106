import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { givesTerminals } from '../../src/agent/ssh/terminals.ts';

const SOMEBODY = 4242;
/** No machine's terminals belong to it. */
const NO_MOUNTS_GROUP = 54_321;

describe('whether sshd can give terminals', () => {
  let folder = '';
  let groupFile = '';
  beforeEach(function () {
    if (process.platform !== 'linux') {
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'hitch-terminals-'));
    groupFile = join(folder, 'group');
    writeFileSync(groupFile, `root:x:0:\ntty:x:${NO_MOUNTS_GROUP.toString()}:\n`);
  });
  afterEach(() => {
    if (folder !== '') {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('is found by doing with one what sshd does: handing it to the account and the group of terminals', () => {
    const asked: unknown[][] = [];
    const handOver = (...args: readonly unknown[]): void => void asked.push([...args]);
    assert.equal(givesTerminals({ userId: SOMEBODY, groupFile, handOver }), true);
    assert.match(String(asked[0]?.[0]), /^\/dev\/pts\/\d+$/);
    assert.deepEqual(asked[0]?.slice(1), [SOMEBODY, NO_MOUNTS_GROUP]);
    const refuse = (): void => {
      throw new Error('EPERM: operation not permitted');
    };
    assert.equal(givesTerminals({ userId: SOMEBODY, groupFile, handOver: refuse }), false);
  });

  it('is certain for root, and where terminals have no group', () => {
    const handOver = (): void => assert.fail('nothing is tried');
    assert.equal(givesTerminals({ userId: 0, groupFile, handOver }), true);
    writeFileSync(groupFile, 'root:x:0:\n');
    assert.equal(givesTerminals({ userId: SOMEBODY, groupFile, handOver }), true);
  });
});
