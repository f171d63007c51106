import assert from 'node:assert/strict';
import type { AgentStatus, NodeId } from '@hitch/contract';
import { silentLog } from '@hitch/platform/src/log.ts';
import { MemoryWarnings } from '../../src/clusters/memory-warnings.ts';
import type { NodeRecord } from '../../src/ledger/records.ts';

const NOW = 1_800_000_000_000;

describe('A machine whose memory runs out', () => {
  let nowMs: number;
  let said: unknown[];
  let warnings: MemoryWarnings;
  beforeEach(() => {
    nowMs = 0;
    said = [];
    // Only what a warning is written with is there.
    const tx = { node: () => ({}), say: (event: unknown) => said.push(event) };
    const parts = {
      clock: { monotonic: () => nowMs },
      ledger: {
        change: (_: unknown, write: (given: typeof tx) => void) => {
          write(tx);
          return Promise.resolve();
        },
      },
      log: silentLog,
    };
    warnings = new MemoryWarnings(parts as unknown as ConstructorParameters<typeof MemoryWarnings>[0]);
  });

  const hear = (atMs: number | null, saidNowMs = NOW): void => {
    const node = { id: 'nod_1' as NodeId, clusterId: 'clu_1' } as NodeRecord;
    const memoryWarning = atMs === null ? {} : { memoryWarning: { atMs, sentence: 'It is nearly full.' } };
    warnings.hear(node, { nowMs: saidNowMs, ...memoryWarning } as AgentStatus);
  };

  it('is a warning of its cluster once, however often its agent says so', () => {
    hear(null);
    hear(NOW - 1_000);
    hear(NOW - 1_000);
    assert.deepEqual(said, [
      { kind: 'warning', value: 'memory', message: 'It is nearly full.', nodeId: 'nod_1' },
    ]);
  });

  it('is another warning only after a while, so that no agent fills the store', () => {
    hear(NOW - 3_000);
    nowMs += 1_000;
    hear(NOW - 2_000);
    assert.equal(said.length, 1);
    nowMs += 200_000;
    hear(NOW - 1_000);
    assert.equal(said.length, 2);
  });

  it('is nothing that a daemon tells which comes long after', () => {
    hear(NOW - 3_600_000);
    assert.deepEqual(said, []);
  });
});
