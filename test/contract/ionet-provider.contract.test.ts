/** The contract suite on io.net's virtual machines, as the simulator of them behaves. */
import type { FaultRule } from '../simulators/frame/faults.ts';
import { SshdMachines } from '../simulators/frame/sshd-machines.ts';
import type { IonetOptions } from '../simulators/ionet/ionet-simulator.ts';
import { withoutOpenssh } from '../support/openssh.ts';
import { answering, DEPLOY, ionet, LIST } from './ionet-rig.ts';
import type { NetworkFault } from './provider-rig.ts';
import { describeProvider } from './provider-suite.ts';

const EXTEND = /^POST .*\/extend$/;
const DELETE = /^DELETE /;

const RULES: Partial<Readonly<Record<NetworkFault, FaultRule>>> = {
  reply_lost_after_create: { route: DEPLOY, fault: { does: 'lose-reply' } },
  reply_lost_before_create: { route: DEPLOY, fault: { does: 'before' } },
  duplicate_reply: { route: DEPLOY, nth: 2, fault: { does: 'duplicate-reply' } },
  rate_limited: {
    route: /hardware$/,
    fault: {
      does: 'answer',
      answer: { status: 429, headers: { 'retry-after': '3' }, body: { detail: 'Slow' } },
    },
  },
  outage: { route: /./, fault: answering(503, 'Service Unavailable') },
  list_fails: { route: LIST, fault: answering(500, 'Internal Server Error') },
  destroy_fails: { route: DELETE, times: 2, fault: answering(502, '<html>Bad Gateway</html>') },
  destroy_reply_lost: { route: DELETE, fault: { does: 'lose-reply' } },
  reply_lost_after_more_time: { route: EXTEND, fault: { does: 'lose-reply' } },
  reply_lost_before_more_time: { route: EXTEND, fault: { does: 'before' } },
  slow_reply: { route: /./, fault: { does: 'slow', ms: 60_000 } },
};

const OPTIONS: Partial<Readonly<Record<NetworkFault, Partial<IonetOptions>>>> = {
  // What it always does.
  sold_by_terms: {},
  sold_ahead: {},
  detail_without_label: {},
  sold_out: { lies: { soldOut: true } },
  dearer: { lies: { dearerPercent: 40 } },
  list_partial: { lies: { withholds: 1 } },
  destroy_slow: { endMs: 600_000 },
  unknown_status: { lies: { word: 'contemplating' } },
  slow_boot: { bootMs: 600_000 },
};

describeProvider({
  name: 'io.net',
  faults: [...Object.keys(RULES), ...Object.keys(OPTIONS)] as NetworkFault[],
  cannotRun: withoutOpenssh(),
  build: async faults =>
    ionet(
      Object.assign({}, ...faults.map(fault => OPTIONS[fault] ?? {})) as Partial<IonetOptions>,
      faults.flatMap(fault => RULES[fault] ?? []),
      new SshdMachines(),
    ),
});
