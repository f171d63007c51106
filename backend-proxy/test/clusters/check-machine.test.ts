/** What a machine's network is judged by, whoever measured it. */
import assert from 'node:assert/strict';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import type { Host, HostFacts, NetworkSpeed } from '../../src/access/host.ts';
import { checkMachine } from '../../src/clusters/check-machine.ts';
import type { AttemptRecord, ClusterRecord } from '../../src/ledger/records.ts';

const signal = new AbortController().signal;
const HAS = {
  gpuCount: 1,
  gpuMemoryMiB: 24_576,
  driver: null,
  cudaMax: null,
  gpuProblem: null,
  freeDiskMiB: null,
  clockAheadS: 0,
};
const OFFER = { gpuCount: 1, vramMiB: 24_576, cudaMax: null, trust: 'community', downMbps: 900 };

describe('the network of a machine that is checked', () => {
  /** What the machine keeps of it, as `far/speed.sh` writes it. */
  let kept: NetworkSpeed | null;
  /** Mbps that each measure brings; a daemon that measures beyond them is killed. */
  let brings: number[];

  beforeEach(() => {
    [kept, brings] = [null, []];
  });

  const facts = () => ({ has: { ...HAS, network: kept } }) as unknown as HostFacts;
  const host = {
    facts: () => Promise.resolve(facts()),
    measureNetwork: () => {
      const { begun = 0, ended = 0, downMbps = null } = kept ?? {};
      const now = brings.shift();
      const said = { isOwnIndex: false, upMbps: null, whyNoDown: '', whyNoUp: 'cut' } as const;
      kept = { ...said, downMbps, begun: begun + 1, ended };
      if (now === undefined) {
        return new Promise<HostFacts>(() => undefined);
      }
      kept = { ...kept, downMbps: Math.max(now, downMbps ?? 0), ended: ended + 1 };
      return Promise.resolve(facts());
    },
  } as unknown as Host;
  const check = () =>
    checkMachine(
      {
        calls: { limited: <T>(_name: string, call: (signal: AbortSignal) => Promise<T>) => call(signal) },
        clock: new VirtualClock(),
        locks: { get: () => null },
        providers: new Map([['vast', {}]]),
        log: silentLog,
      } as unknown as Parameters<typeof checkMachine>[0],
      { cluster: { environment: { id: null } } as unknown as ClusterRecord },
      { provider: 'vast', offer: OFFER, terms: {}, adopted: null, ref: 'one' } as unknown as AttemptRecord,
      host,
      () => undefined,
    );
  /** A daemon that measures so often, and is killed while it measures once more. */
  const killedAfter = async (...measures: number[]) => {
    brings = measures;
    void check();
    const begun = (kept?.begun ?? 0) + measures.length + 1;
    while (kept?.begun !== begun) {
      await new Promise(setImmediate);
    }
  };

  it('is a reason to give it back after two measures', async () => {
    brings = [2, 3];
    const { wrong } = await check();
    assert.equal(wrong.length, 1);
    assert.deepEqual([kept?.begun, kept?.ended], [2, 2]);
  });

  it('is none after one, which the next daemon adds another to', async () => {
    await killedAfter(2);
    brings = [300];
    assert.deepEqual((await check()).wrong, []);
    assert.equal(kept?.downMbps, 300);
  });

  it('is one when the next daemon’s measure says the same', async () => {
    await killedAfter(2);
    brings = [3];
    assert.equal((await check()).wrong.length, 1);
  });

  it('is not measured for ever where each daemon is killed meanwhile', async () => {
    await killedAfter(2);
    await killedAfter();
    const { wrong, facts } = await check();
    assert.deepEqual(wrong, []);
    assert.deepEqual([facts.has?.network?.begun, facts.has?.network?.downMbps], [3, 2]);
  });
});
