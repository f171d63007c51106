/**
 * Many odd things copied either way while the agent and the daemon are killed with -9, stand still, and disks fill up:
 * what arrives equals the source or is in the account, and nothing local was replaced.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, type Conflict, type Copy, type CopyRequest, runCopy } from '@hitch/contract';
import type { Account } from '../../shared/transfer/test/support/account.ts';
import { type Arrival, problemsOf } from '../../shared/transfer/test/support/arrival.ts';
import { Chance } from '../../shared/transfer/test/support/chance.ts';
import { removeTree, touchedIn } from '../../shared/transfer/test/support/disk-view.ts';
import { InTheWay } from '../../shared/transfer/test/support/in-the-way.ts';
import { Mutator } from '../../shared/transfer/test/support/mutator.ts';
import { makeRandomTree, type RandomTree } from '../../shared/transfer/test/support/random-tree.ts';
import { accountOf } from '../support/account-of.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes, sendSignal } from '../support/processes.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { delay } from '../support/waiting.ts';

/** `HITCH_SEED=7` draws other trees and other faults. */
const FIRST = Number(process.env['HITCH_SEED'] ?? 1);

const ROOT = 'tree';
type Direction = CopyRequest['direction'];

const FAULTS = ['agent killed', 'daemon killed', 'agent stands still', 'daemon stands still'] as const;
/** Longer than it takes to notice anything, shorter than anybody waits. */
const STILL_MS = 3_000;
/** The daemon leaves so much free on a disk in any case. */
const SPARE_BYTES = 64 * 1024 * 1024;
/** More than a smaller tree takes. */
const FEW_BYTES = 160 * 1024 * 1024;

export interface Amount {
  readonly entries: number;
  /** A smaller tree, where no fault has to find it under way. */
  readonly fewEntries: number;
  /** Where the same is asked for twice at once. */
  readonly twiceEntries: number;
  readonly runs: number;
}

/** Declares the suite, to be called inside of one. */
export function copiesWhileEverythingDies({ entries, fewEntries, twiceEntries, runs }: Amount): void {
  const seeds = Array.from({ length: runs }, (_, index) => FIRST + index);
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local' });
  let folder = '';
  let cluster: Cluster;

  before(async function () {
    needsRealNodes(this);
    console.log(`      seeds from ${FIRST.toString()} (HITCH_SEED=${FIRST.toString()} draws the same)`);
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'he-copies-')));
    await home.start();
    cluster = await home.untilKernel((await home.rent({ idleMs: 0 }, 'copies')).id);
  });

  after(async () => {
    await home.dispose();
    if (folder !== '') {
      removeTree(folder);
    }
  });

  // ---- what goes wrong

  const fault = async (what: (typeof FAULTS)[number]): Promise<void> => {
    switch (what) {
      case 'agent killed':
        return home.killAgent(cluster);
      case 'daemon killed':
        await home.kill();
        await home.start();
        return;
      case 'agent stands still': {
        const pid = home.agentPid(cluster);
        sendSignal(pid, 'SIGSTOP');
        await delay(STILL_MS);
        sendSignal(pid, 'SIGCONT');
        return;
      }
      case 'daemon stands still':
        home.signal('SIGSTOP');
        await delay(STILL_MS);
        home.signal('SIGCONT');
        return;
    }
  };

  // ---- a copy, as a client asks for it

  interface Run {
    readonly direction: Direction;
    /** Where the tree lies, and what receives it. */
    readonly from: string;
    readonly to: string;
    readonly conflict: Conflict;
  }

  const requestOf = ({ direction, from, to, conflict }: Run): CopyRequest => {
    const work = home.workOf(cluster);
    const below = (path: string): string => path.slice(work.length + 1);
    return {
      clusterId: cluster.id,
      direction,
      sources: [direction === 'send' ? join(from, ROOT) : below(join(from, ROOT))],
      target: direction === 'send' ? below(to) : to,
      intoFolder: true,
      conflict,
    };
  };

  /** @returns the copy at its end, and everything that it says. */
  const copy = async (
    run: Run,
    onState?: (copy: Copy) => void,
  ): Promise<{ copy: Copy; account: Account }> => {
    const request = requestOf(run);
    const ended = await runCopy({
      api: home.api,
      start: () => home.api.copies.start(request),
      ask: async () => null,
      sleep: (ms, signal) => delay(ms, undefined, { signal }),
      ...(onState === undefined ? {} : { onState }),
    });
    return { copy: ended, account: await accountOf(home.api, ended, request.sources[0] ?? '') };
  };

  /** Each at its share of the way, and none after the end. */
  const copyUnder = async (
    faults: readonly (typeof FAULTS)[number][],
    run: Run,
    mutator: Mutator,
  ): Promise<{ copy: Copy; account: Account; happened: string[] }> => {
    const happened: string[] = [];
    const left = [...faults];
    let going: Promise<void> = Promise.resolve();
    let isGoing = false;
    let listing = true;
    const steps = setInterval(() => mutator.step(listing), 15);
    try {
      const ended = await copy(run, news => {
        listing = news.state === 'listing' || news.state === 'waiting';
        const share = news.files === 0 ? 0 : news.doneFiles / news.files;
        const next = left[0];
        if (isGoing || next === undefined || share < happened.length / (faults.length + 1)) {
          return;
        }
        left.shift();
        happened.push(`${next} at ${Math.round(share * 100).toString()} %`);
        isGoing = true;
        going = fault(next).finally(() => {
          isGoing = false;
        });
      });
      return { ...ended, happened };
    } finally {
      clearInterval(steps);
      await going;
    }
  };

  const check = (
    when: string,
    run: Run,
    about: Pick<Arrival, 'tree' | 'inTheWay' | 'changes' | 'before' | 'wasCutShort'>,
    accounts: readonly Account[],
  ): void => {
    const account = accounts.at(-1);
    assert.ok(account);
    const problems = problemsOf({
      ...about,
      account,
      earlier: accounts.slice(0, -1),
      target: join(run.to, ROOT),
      base: run.to,
      follow: run.direction === 'send',
      conflict: run.conflict,
      done: true,
    });
    assert.equal(problems.length, 0, `${when}, ${run.conflict}:\n${problems.slice(0, 40).join('\n')}`);
  };

  const make = async (
    chance: Chance,
    direction: Direction,
    seed: number,
    count = entries,
  ): Promise<{ run: Run; tree: RandomTree }> => {
    const here = join(folder, `${direction}-${seed.toString()}`);
    const there = join(home.workOf(cluster), `${direction}-${seed.toString()}`);
    mkdirSync(here);
    mkdirSync(there);
    const [from, to] = direction === 'send' ? [here, there] : [there, here];
    const tree = await makeRandomTree(chance, { folder: from, name: ROOT, entries: count, large: 4 });
    const conflict = chance.pick(['keep-both', 'keep-both', 'replace', 'skip'] as const);
    return { run: { direction, from, to, conflict }, tree };
  };

  for (const seed of seeds) {
    for (const direction of ['send', 'fetch'] as const) {
      it(`bring all of ${entries.toLocaleString('en')} things or say what not: ${direction}, HITCH_SEED=${seed.toString()}`, async () => {
        const chance = new Chance(seed + (direction === 'send' ? 0 : 500_000));
        const { run, tree } = await make(chance, direction, seed);
        const target = join(run.to, ROOT);
        const inTheWay = new InTheWay(
          chance,
          tree,
          target,
          join(folder, `elsewhere-${direction}-${seed.toString()}`),
          60,
        );
        const mutator = new Mutator(chance, tree, 0.02);
        const faults = chance.some([...FAULTS, 'agent killed', 'daemon killed'] as const, 4);
        const first = await copyUnder(faults, run, mutator);
        console.log(
          `        ${first.happened.join(', ')}; ${run.conflict}, ${first.copy.account.copiedFiles.toString()} files`,
        );
        assert.equal(first.copy.problem, null);
        assert.equal(first.copy.state, 'done');
        // Which of its daemons said what is not known any more; and what went early is not known from outside.
        mutator.listedAnew();
        const wasCutShort = true;
        check('under faults', run, { tree, inTheWay, changes: mutator.changes, before: [], wasCutShort }, [
          first.account,
        ]);

        const before = touchedIn(tree.root);
        const second = await copy(run);
        const accounts = [first.account, second.account];
        check(
          'afterwards',
          run,
          { tree, inTheWay, changes: [], before: mutator.changes, wasCutShort },
          accounts,
        );
        const third = await copy(run);
        assert.equal(third.account.copiedFiles, 0, 'a copy of what is there already copies nothing');
        assert.deepEqual(touchedIn(tree.root), before, 'a copy changes nothing at its source');
        removeTree(run.from);
        removeTree(run.to);
      });
    }
  }

  it('end at a full disk with what is there, and bring the rest once it has room', async function () {
    const disk = SmallDisk.mount(this, SPARE_BYTES + FEW_BYTES);
    try {
      const chance = new Chance(FIRST);
      const { run, tree } = await make(chance, 'fetch', -1, fewEntries);
      const there: Run = { ...run, to: disk.folder, conflict: 'keep-both' };
      let filled = false;
      const first = await copy(there, ({ doneFiles, files }) => {
        if (!filled && doneFiles > files / 10) {
          filled = true;
          disk.fill();
        }
      });
      assert.equal(first.copy.state, 'failed');
      assert.equal(first.copy.problem?.code, 'STORAGE_FULL');
      assert.ok(first.account.count('notCopied') > 0);
      disk.empty();
      const second = await copy(there);
      assert.equal(second.copy.state, 'done');
      check(
        'once there was room',
        there,
        { tree, inTheWay: null, changes: [], before: [], wasCutShort: true },
        [second.account],
      );
      removeTree(run.from);
    } finally {
      disk.unmount();
    }
  });

  for (const direction of ['send', 'fetch'] as const) {
    it(`bring each file whole where the same is asked for twice at once: ${direction}`, async () => {
      const { run, tree } = await make(new Chance(FIRST), direction, FIRST + 1_000, twiceEntries);
      const twice = await Promise.all([copy(run), copy(run)]);
      assert.deepEqual(
        twice.map(each => each.copy.state),
        ['done', 'done'],
      );
      const [first, second] = twice
        .map(({ account }) => account)
        .sort((a, b) => b.copiedFiles - a.copiedFiles);
      assert.ok(first && second);
      const about = { tree, inTheWay: null, changes: [], before: [], wasCutShort: false };
      check('twice', run, about, [first]);
      assert.equal(second.copiedFiles, 0, 'what the first brought was copied again by the second');
    });
  }
}
