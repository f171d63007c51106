/** The contract suite on Akash, as the simulator of it behaves. */
import type { AkashOptions } from '../simulators/akash/akash-simulator.ts';
import type { FaultRule } from '../simulators/frame/faults.ts';
import { SshdMachines } from '../simulators/frame/sshd-machines.ts';
import { withoutOpenssh } from '../support/openssh.ts';
import { akash, answering, CREATE, LEASE, LIST } from './akash-rig.ts';
import type { NetworkFault } from './provider-rig.ts';
import { describeProvider } from './provider-suite.ts';

const DELETE = /^DELETE /;

const RULES: Partial<Readonly<Record<NetworkFault, FaultRule>>> = {
  reply_lost_after_create: { route: CREATE, fault: { does: 'lose-reply' } },
  reply_lost_before_create: { route: CREATE, fault: { does: 'before' } },
  duplicate_reply: { route: CREATE, nth: 2, fault: { does: 'duplicate-reply' } },
  reply_lost_after_lease: { route: LEASE, times: 1, fault: { does: 'lose-reply' } },
  reply_lost_before_lease: { route: LEASE, times: 1, fault: { does: 'before' } },
  rate_limited: {
    route: /gpu-prices/,
    fault: {
      does: 'answer',
      answer: {
        status: 429,
        headers: { 'retry-after': '3' },
        body: { error: 'TooManyRequestsError', message: 'Too many requests', code: 'rate_limited' },
      },
    },
  },
  outage: { route: /./, fault: answering(503, 'upstream connect error') },
  list_fails: { route: LIST, fault: answering(500, { message: 'Internal server error' }) },
  destroy_fails: { route: DELETE, times: 2, fault: answering(502, 'Bad Gateway') },
  destroy_reply_lost: { route: DELETE, fault: { does: 'lose-reply' } },
  slow_reply: { route: /./, fault: { does: 'slow', ms: 60_000 } },
};

const OPTIONS: Partial<Readonly<Record<NetworkFault, Partial<AkashOptions>>>> = {
  // What it always does.
  sold_by_bids: {},
  bid_withdrawn: { lies: { withdrawn: 1 } },
  list_partial: { lies: { withholds: 1 } },
  destroy_slow: { lies: { endMs: 600_000 } },
  unknown_status: { lies: { word: 'contemplating' } },
  slow_boot: { bootMs: 600_000 },
};

describeProvider({
  name: 'Akash',
  faults: [...Object.keys(RULES), ...Object.keys(OPTIONS)] as NetworkFault[],
  cannotRun: withoutOpenssh(),
  build: async faults =>
    akash(
      Object.assign({}, ...faults.map(fault => OPTIONS[fault] ?? {})) as Partial<AkashOptions>,
      faults.flatMap(fault => RULES[fault] ?? []),
      new SshdMachines(),
    ),
});
