import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NETWORKS } from '../../backend-proxy/src/providers/folders.ts';
import { folderList, foldersThere } from '../list-networks.ts';

describe('the networks', () => {
  it('are there for each folder of one, and for no other', () => {
    const names = foldersThere();
    assert.ok(names.length >= 3);
    const file = join(import.meta.dirname, '../../backend-proxy/src/providers/folders.ts');
    assert.equal(readFileSync(file, 'utf8'), folderList(names), 'run: npx node scripts/list-networks.ts');
    assert.deepEqual(
      NETWORKS.map(({ id }) => id),
      names.toSorted(),
      'a network is called as its folder',
    );
  });
});
