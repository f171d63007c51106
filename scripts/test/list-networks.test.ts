import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NETWORKS } from '../../backend-proxy/src/providers/folders.ts';
import type { CheckedRecording } from '@hitch/contract';
import { folderList, foldersThere, proves, recordingsThere, verifiedList } from '../list-networks.ts';

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

  it('are verified where a recording of them lies there, and nowhere else', () => {
    const file = join(import.meta.dirname, '../../backend-proxy/src/providers/verified.ts');
    assert.equal(
      readFileSync(file, 'utf8'),
      verifiedList(recordingsThere()),
      'run: npx node scripts/list-networks.ts',
    );
  });

  it('are not verified by what was asked on this computer, nor by a check that failed', () => {
    const passed = { ...RECORDING, check: CHECK };
    const failed = { ...RECORDING, check: { ...CHECK, outcome: 'failed' as const } };
    assert.match(verifiedList([passed, passed]), /\[\n {2}\{ network: 'one', adapterVersion: 3 \},\n\];/);
    for (const api of ['http://127.0.0.1:4000', 'https://localhost', 'https://127.0.0.1:1', '']) {
      assert.equal(proves({ ...passed, api }), false, api);
    }
    assert.doesNotMatch(verifiedList([failed]), /one/);
  });
});

const CHECK = {
  outcome: 'passed' as const,
  steps: [],
  quotedPerHourMicroUsd: '1',
  countedMicroUsd: '1',
  billedMicroUsd: null,
  notes: [],
};
const RECORDING: Omit<CheckedRecording, 'check'> = {
  format: 1,
  network: 'one',
  adapterVersion: 3,
  hitchVersion: '0.1.0',
  api: 'https://api.one.example',
  madeAtMs: 0,
  exchanges: [],
  leftOut: null,
};
