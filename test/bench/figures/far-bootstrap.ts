/** What setting a far machine up takes, against a person who logs in there and installs the same packages. */
import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { indexOf } from '../../../backend-proxy/src/machines/far/bootstrap.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { FarHost } from '../../../backend-proxy/src/machines/far/far-host.ts';
import { shippedHashes } from '../../../backend-proxy/src/machines/python.ts';
import { FarMachine } from '../../support/far-machine.ts';
import { withoutOpenssh } from '../../support/openssh.ts';
import { FAR_NAME, openShell } from '../far-under-test.ts';
import { type Benchmark, figure, median, timed } from '../figure.ts';

const PAIRS = 2;
const WARM_ROUNDS = 5;
const REF = `hitch-bench${process.pid.toString()}`;
const run = promisify(execFile);
const signal = new AbortController().signal;

interface Times {
  readonly coldMs: number;
  readonly warmMs: number;
}

export const farBootstrap: Benchmark = {
  names: ['far_bootstrap_s', 'far_bootstrap_warm_s'],
  async run(report) {
    const missing = withoutOpenssh();
    if (missing !== null) {
      report(`skipped: ${missing}`);
      return [];
    }
    const ours: Times[] = [];
    const theirs: Times[] = [];
    for (let pair = 1; pair <= PAIRS; pair++) {
      report(`new machines, pair ${pair.toString()} of ${PAIRS.toString()}`);
      const machine = await FarMachine.start();
      try {
        ours.push(await setUp(machine));
        theirs.push(await byHand(machine));
      } finally {
        await machine.dispose();
      }
    }
    const seconds = (times: readonly Times[], which: keyof Times): number =>
      median(times.map(each => each[which])) / 1000;
    return [
      figure({
        name: 'far_bootstrap_s',
        value: seconds(ours, 'coldMs'),
        unit: 's',
        baseline: seconds(theirs, 'coldMs'),
        target: { atMost: 1.2 },
        of: 'ratio',
        note: 'a machine that has nothing: Node, uv and all packages; baseline: ssh host uv pip install of the packages alone',
      }),
      figure({
        name: 'far_bootstrap_warm_s',
        value: seconds(ours, 'warmMs'),
        unit: 's',
        baseline: seconds(theirs, 'warmMs'),
        target: { atMost: 1.2 },
        of: 'ratio',
        note: 'the same once more; baseline: the same uv pip install, which finds all there',
      }),
    ];
  },
};

/** As the daemon does it. */
async function setUp(machine: FarMachine): Promise<Times> {
  const shell = await openShell(machine);
  try {
    const once = (): Promise<number> =>
      timed(async () => {
        const address = { at: FAR_NAME, hostKey: null, ssh: null, proof: null, privateAddress: null };
        const host = new FarHost({
          shell,
          ref: REF,
          address,
          lease: null,
          promised: null,
          clock: systemClock,
        });
        await host.facts(signal);
        await host.ensurePython({ ray: true }, () => undefined, signal);
      });
    const coldMs = await once();
    const again: number[] = [];
    for (let round = 0; round < WARM_ROUNDS; round++) {
      again.push(await once());
    }
    return { coldMs, warmMs: median(again) };
  } finally {
    await shell.close();
  }
}

/** With the very uv, over a connection that is open, into an environment and a cache of its own. */
async function byHand(machine: FarMachine): Promise<Times> {
  const cache = join(machine.home, '.hitch/far/cache');
  const folder = readdirSync(cache).find(name => name.startsWith('uv-') && name !== 'uv-cache') ?? '';
  const [uv, lock] = [join(machine.folder, 'uv'), join(machine.folder, 'lock.txt')];
  copyFileSync(join(cache, folder, 'uv'), uv);
  chmodSync(uv, 0o755);
  writeFileSync(lock, shippedHashes(), { mode: 0o644 });
  const master = ['-F', machine.config, '-S', join(machine.folder, 'plain')];
  await run('ssh', [...master, '-f', '-N', '-o', 'ControlMaster=yes', FAR_NAME]);
  try {
    const index = indexOf(process.env);
    const settings = `UV_CACHE_DIR=$HOME/by-hand/cache UV_SYSTEM_CERTS=1 ${index === '' ? '' : `UV_DEFAULT_INDEX=${index}`}`;
    const install = `${settings} ${uv} pip install -q --python $HOME/by-hand/venv --no-deps --require-hashes -r ${lock}`;
    const coldMs = await timed(() =>
      run('ssh', [...master, FAR_NAME, `${uv} venv -q --no-project $HOME/by-hand/venv && ${install}`]),
    );
    const again: number[] = [];
    for (let round = 0; round < WARM_ROUNDS; round++) {
      again.push(await timed(() => run('ssh', [...master, FAR_NAME, install])));
    }
    return { coldMs, warmMs: median(again) };
  } finally {
    await run('ssh', [...master, '-O', 'exit', FAR_NAME]);
  }
}
