/** The contract suite, run for each adapter. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainTerms } from '../../backend-proxy/src/ledger/terms.ts';
import { Machines } from '../../backend-proxy/src/machines/machines.ts';
import { PythonEnvironments } from '../../backend-proxy/src/machines/python.ts';
import { VirtualClock, systemClock } from '@hitch/platform/src/clock.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { LocalProvider } from '../../backend-proxy/src/providers/local/local-provider.ts';
import { ProviderError } from '../../backend-proxy/src/providers/provider.ts';
import { marketAccountSchema } from '../../backend-proxy/src/providers/sandbox/account.ts';
import type { FaultRule } from '../../backend-proxy/src/providers/sandbox/faults.ts';
import { SandboxMarket } from '../../backend-proxy/src/providers/sandbox/market.ts';
import { folderStorage, memoryStorage } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import { NullRuntime } from '../../backend-proxy/src/providers/sandbox/null-runtime.ts';
import { ProcessRuntime } from '../../backend-proxy/src/providers/sandbox/process-runtime.ts';
import { SandboxProvider } from '../../backend-proxy/src/providers/sandbox/sandbox-provider.ts';
import type { NetworkFault, ProviderSubject } from './provider-rig.ts';
import { describeProvider } from './provider-suite.ts';

/** Its purchases are calls of functions: no connection could mix their answers up. */
type MarketFault = Exclude<NetworkFault, 'duplicate_reply'>;
const RULES: Readonly<Record<MarketFault, FaultRule>> = {
  sold_out: { fault: 'vanished_offer', chance: 1 },
  reply_lost_after_create: { fault: 'reply_lost_after_create', chance: 1 },
  reply_lost_before_create: { fault: 'reply_lost_before_create', chance: 1 },
  error_with_id: { fault: 'error_with_id', chance: 1 },
  dearer: { fault: 'dearer', chance: 1, percent: 40 },
  other_machine: { fault: 'other_machine', chance: 1 },
  rate_limited: { fault: 'rate_limited', chance: 1, retryAfterMs: 700 },
  limited_route: { fault: 'limited_route', on: 'create', everyMs: 4_500 },
  outage: { fault: 'outage', afterMs: 0, durationMs: 60_000 },
  list_fails: { fault: 'list_fails', chance: 1 },
  list_partial: { fault: 'list_partial', chance: 1 },
  destroy_fails: { fault: 'destroy_fails', chance: 1, times: 2 },
  destroy_reply_lost: { fault: 'destroy_reply_lost', chance: 1 },
  destroy_slow: { fault: 'destroy_slow', chance: 1, delayMs: 600_000 },
  unknown_status: { fault: 'lying_status', chance: 1, as: 'unknown_word' },
  slow_boot: { fault: 'slow_boot', chance: 1, delayMs: 60_000 },
  sold_by_terms: { fault: 'sold_by_terms', chance: 1, minutes: 60 },
  sold_ahead: { fault: 'sold_ahead', chance: 1, minutes: 60, keptMinutes: 20 },
  sold_by_bids: { fault: 'sold_by_bids', chance: 1, depositMicroUsd: 5_000_000 },
  bid_withdrawn: { fault: 'bid_withdrawn', chance: 1, times: 1 },
  reply_lost_after_lease: { fault: 'reply_lost_after_lease', chance: 1, times: 1 },
  reply_lost_before_lease: { fault: 'reply_lost_before_lease', chance: 1, times: 1 },
  list_price_off: { fault: 'list_price_off', chance: 1, percent: 30, longerPercent: 5 },
  disk_apart: { fault: 'disk_apart', chance: 1 },
  detail_without_label: { fault: 'detail_without_label', chance: 1 },
  ends_by_steps: { fault: 'ends_by_steps', chance: 1 },
  reply_lost_after_more_time: { fault: 'reply_lost_after_more_time', chance: 1 },
  reply_lost_before_more_time: { fault: 'reply_lost_before_more_time', chance: 1 },
  sold_together: { fault: 'sold_together', chance: 1 },
  member_lost: { fault: 'member_lost', chance: 1, afterMs: 60_000 },
  slow_reply: { fault: 'slow_reply', chance: 1, delayMs: 60_000 },
};
/** Limits that nothing here comes near. */
const WIDE = (['offers', 'create', 'get', 'list', 'destroy'] as const).map(on => ({
  fault: 'limited_route' as const,
  on,
  perMinute: 5_000,
}));
const ALL_FAULTS = Object.keys(RULES) as MarketFault[];

function temporaryHome() {
  const folder = mkdtempSync(join(tmpdir(), 'hitch-suite-'));
  return { home: homeAt(folder), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function machinesIn(home: ReturnType<typeof homeAt>): Machines {
  const python = new PythonEnvironments({ folder: home.python, clock: systemClock });
  return new Machines({ home, clock: systemClock, python });
}

async function buyElsewhere(market: SandboxMarket): Promise<string> {
  const { signal } = new AbortController();
  const [entry] = await market.offers(signal);
  const entryId = entry?.id.slice('sandbox:'.length) ?? '';
  const order = { ref: 'web-1', entryId, endAtMs: null, maxPricePerHourMicroUsd: 10n ** 12n };
  return (await market.rent(order, signal)).id;
}

function sandboxSubject(
  faults: readonly NetworkFault[],
  withProcesses: boolean,
  more: readonly FaultRule[] = [],
  key: string | null = null,
): ProviderSubject {
  const { home, remove } = temporaryHome();
  const clock = new VirtualClock();
  // The market stands for somebody else's servers: it is the same one before and after a restart.
  const storage = withProcesses ? folderStorage(join(home.root, 'sandbox')) : memoryStorage();
  const nullRuntime = new NullRuntime({ clock });
  const open = () =>
    new SandboxMarket({
      clock,
      storage,
      runtime: withProcesses ? new ProcessRuntime(machinesIn(home), 4) : nullRuntime,
      account:
        key === null
          ? null
          : marketAccountSchema.parse({
              keys: [{ key }],
              balanceDollars: '500',
              spendLimitDollarsPerHour: '80',
            }),
      faults: {
        seed: 1,
        rules: [...faults.flatMap(fault => (fault === 'duplicate_reply' ? [] : [RULES[fault]])), ...more],
      },
    });
  const market = open();
  const login = () => Promise.resolve(key === null ? null : { apiKey: key });
  return {
    provider: new SandboxProvider(market, { login }),
    restarted: () => new SandboxProvider(open(), { login }),
    // A machine that is processes needs a name that Hitch gives.
    ...(withProcesses ? {} : { boughtElsewhere: () => buyElsewhere(market) }),
    pass: async ms => clock.jump(ms),
    dispose: async () => {
      for (const { ref } of machinesIn(home).list('sandbox')) {
        await machinesIn(home).destroy(ref);
      }
      remove();
    },
  };
}

describeProvider({
  name: 'local',
  faults: [],
  build: async () => {
    const { home, remove } = temporaryHome();
    const open = () =>
      new LocalProvider({
        machines: machinesIn(home),
        clock: systemClock,
        folder: home.root,
        pricePerHourMicroUsd: 7n,
      });
    const provider = open();
    return {
      provider,
      restarted: open,
      // A machine on this computer is there at once.
      pass: async () => undefined,
      dispose: async () => {
        for (const { id } of await provider.list(new AbortController().signal)) {
          await provider.destroy(id, new AbortController().signal);
        }
        remove();
      },
    };
  },
});

describe('hostile: this computer as a network', () => {
  it('rents no more nodes than it offers, whoever asks at the same time, and again when one has gone', async () => {
    const { home, remove } = temporaryHome();
    const provider = new LocalProvider({ machines: machinesIn(home), clock: systemClock, folder: home.root });
    const { signal } = new AbortController();
    try {
      const [offer] = await provider.offers(signal);
      assert.ok(offer);
      const rent = (number: number) =>
        provider.create(
          {
            ref: `hitch-many-${number.toString()}`,
            offer,
            terms: plainTerms(offer),
            maxPricePerHourMicroUsd: 0n,
            members: 1,
            letIn: null,
            endAtMs: null,
          },
          signal,
        );
      const asked = await Promise.allSettled(Array.from({ length: 40 }, (_, number) => rent(number)));
      const refused = asked.flatMap(result =>
        result.status === 'rejected' ? [result.reason as unknown] : [],
      );
      assert.equal(asked.length - refused.length, offer.stock);
      for (const reason of refused) {
        assert.ok(reason instanceof ProviderError && reason.kind === 'capacity', String(reason));
        assert.equal(
          reason.message,
          'This computer runs 16 of the 16 nodes that it offers at once. Stop a cluster to make room.',
        );
      }
      assert.equal(provider.vacancy().free, 0);
      const [first] = await provider.list(signal);
      await provider.destroy(first?.id ?? '', signal);
      assert.equal((await rent(100)).status, 'running');
      await assert.rejects(rent(101), ProviderError);
    } finally {
      for (const { id } of await provider.list(signal)) {
        await provider.destroy(id, signal);
      }
      remove();
    }
  });
});

describeProvider({
  name: 'sandbox with processes',
  faults: ALL_FAULTS,
  build: async faults => sandboxSubject(faults, true),
});

describeProvider({
  name: 'sandbox without processes',
  faults: ALL_FAULTS,
  build: async faults => sandboxSubject(faults, false),
});

// Nothing in the contract says that a machine is gone as soon as it was asked to end.
describeProvider({
  name: 'sandbox that ends machines late',
  faults: [],
  build: async () => sandboxSubject(['destroy_slow'], false),
});

// As a network does that counts each kind of call by itself: wide enough for what is asked of it here.
describeProvider({
  name: 'sandbox that says how often it may be called',
  faults: [],
  build: async () => sandboxSubject([], false, WIDE),
});

const KEY = 'practice-key';

describeProvider({
  name: 'sandbox that rents to accounts',
  faults: [],
  build: async () => sandboxSubject([], false, [], KEY),
});
