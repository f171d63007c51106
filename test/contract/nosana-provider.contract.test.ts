/** The contract suite on Nosana, as the simulator of it behaves, with containers behind a gateway. */
import type { FaultRule } from '../simulators/frame/faults.ts';
import type { NosanaOptions } from '../simulators/nosana/simulator.ts';
import { withoutContainers } from '../support/container.ts';
import { withoutOpenssh } from '../support/openssh.ts';
import { nosanaWithMachines } from './nosana-rig.ts';
import type { NetworkFault } from './provider-rig.ts';
import { describeProvider } from './provider-suite.ts';

const CREATE = /^POST \/api\/deployments\/create$/;
const STOP = /^POST \/api\/deployments\/[^/]+\/stop$/;
const LIST = /^GET \/api\/deployments$/;
const answering = (status: number, body: unknown): FaultRule['fault'] => ({
  does: 'answer',
  answer: { status, body },
});

const RULES: Partial<Readonly<Record<NetworkFault, FaultRule>>> = {
  reply_lost_after_create: { route: CREATE, fault: { does: 'lose-reply' } },
  reply_lost_before_create: { route: CREATE, fault: { does: 'before' } },
  duplicate_reply: { route: CREATE, nth: 2, fault: { does: 'duplicate-reply' } },
  rate_limited: {
    route: /markets/,
    fault: {
      does: 'answer',
      answer: { status: 429, headers: { 'retry-after': '3' }, body: { error: 'Too many requests' } },
    },
  },
  outage: { route: /./, fault: answering(503, 'upstream connect error') },
  list_fails: { route: LIST, fault: answering(500, { error: 'Internal Server Error' }) },
  list_partial: { route: LIST, fault: { does: 'cut' } },
  destroy_fails: { route: STOP, times: 2, fault: answering(502, 'Bad Gateway') },
  destroy_reply_lost: { route: STOP, times: 1, fault: { does: 'lose-reply' } },
  slow_reply: { route: /./, fault: { does: 'slow', ms: 60_000 } },
};

const OPTIONS: Partial<Readonly<Record<NetworkFault, Partial<NosanaOptions>>>> = {
  destroy_slow: { stopMs: 600_000 },
  unknown_status: { statusWord: 'CONTEMPLATING' },
  slow_boot: { startMs: 60_000 },
};

describeProvider({
  name: 'Nosana',
  faults: [...Object.keys(RULES), ...Object.keys(OPTIONS)] as NetworkFault[],
  cannotRun: withoutOpenssh() ?? withoutContainers(),
  build: async faults =>
    nosanaWithMachines(
      Object.assign({}, ...faults.map(fault => OPTIONS[fault] ?? {})) as Partial<NosanaOptions>,
      faults.flatMap(fault => RULES[fault] ?? []),
    ),
});
