/**
 * Random trees under random faults, both ways: what arrives equals the source or is in the account, and nothing local was
 * replaced. `HITCH_SEED=1003` draws that one again, `HITCH_SEED=5000 HITCH_COPY_RUNS=90` others, as many as fit into the
 * five minutes of a run.
 */
import assert from 'node:assert/strict';
import type { Conflict } from '@hitch/contract/src/copies.ts';
import { type Arrival, problemsOf } from './support/arrival.ts';
import type { Account } from './support/account.ts';
import { Chance } from './support/chance.ts';
import { InTheWay } from './support/in-the-way.ts';
import { touchedIn } from './support/disk-view.ts';
import { Mutator } from './support/mutator.ts';
import { makeRandomTree } from './support/random-tree.ts';
import { type Copied, type Direction, IN_THIS_THREAD, Rig, ROOT } from './support/rig.ts';
import { breaking } from './support/served.ts';
import { DiskThread } from '../src/thread/disk-thread.ts';

const FIRST = process.env['HITCH_SEED'];
const RUNS = Number(process.env['HITCH_COPY_RUNS'] ?? (FIRST === undefined ? 6 : 1));
const SEEDS = Array.from({ length: RUNS }, (_, index) => Number(FIRST ?? 1_000) + index);
const ENTRIES = 300;

describe('a copy of a random tree', function () {
  this.timeout(60_000);

  before(function () {
    if (process.platform === 'win32') {
      console.log('      skipped: the trees hold names, modes and links that Windows does not know');
      this.skip();
    }
  });

  const disk = new DiskThread();
  after(() => disk.close());

  for (const seed of SEEDS) {
    for (const direction of ['send', 'fetch'] as const) {
      it(`brings all of it or says what not: ${direction}, HITCH_SEED=${seed.toString()}`, async () => {
        const rig = await Rig.make(disk, seed % 2 === 0 ? disk : IN_THIS_THREAD);
        try {
          await new RandomCopy(rig, direction, seed).run();
        } finally {
          await rig.dispose();
        }
      });
    }
  }
});

class RandomCopy {
  readonly #rig: Rig;
  readonly #direction: Direction;
  readonly #chance: Chance;
  readonly #conflict: Conflict;
  #wasCutShort = false;

  constructor(rig: Rig, direction: Direction, seed: number) {
    this.#rig = rig;
    this.#direction = direction;
    this.#chance = new Chance(seed);
    this.#conflict = this.#chance.pick(['keep-both', 'keep-both', 'replace', 'skip'] as const);
  }

  async run(): Promise<void> {
    const chance = this.#chance;
    const { from, to } = this.#rig.sides(this.#direction);
    const tree = await makeRandomTree(chance, {
      folder: from,
      name: ROOT,
      entries: ENTRIES,
      large: chance.int(0, 1),
    });
    const inTheWay = new InTheWay(
      chance,
      tree,
      `${to}/${ROOT}`,
      `${this.#rig.folder}/elsewhere`,
      chance.int(0, 40),
    );
    const mutator = new Mutator(chance, tree, 0.06);
    const accounts = await this.#underFaults(mutator);
    this.#check('under faults', { tree, inTheWay, changes: mutator.changes, before: [] }, accounts);
    // By now all is quiet: what is missing, or is old, comes with the next copy, and nothing with the one after it.
    const before = touchedIn(tree.root);
    accounts.push((await this.#undisturbed()).account);
    this.#check('afterwards', { tree, inTheWay, changes: [], before: mutator.changes }, accounts);
    const third = await this.#undisturbed();
    assert.equal(third.account.copiedFiles, 0, 'a copy of what is there already copies nothing');
    assert.equal(third.account.count('keptBeside'), 0);
    assert.deepEqual(touchedIn(tree.root), before, 'a copy changes nothing at its source');
  }

  /** In one go, or given up in the middle and asked for again. @returns what each of them said. */
  async #underFaults(mutator: Mutator): Promise<Account[]> {
    const chance = this.#chance;
    const { served } = this.#rig;
    let listing = true;
    const send = breaking(served, chance, chance.int(0, 25), 0.2, path => {
      listing = path === '/transfer/list' || path === '/transfer/look' || (listing && path.endsWith('Hash'));
      if (chance.happens(0.5)) {
        mutator.step(listing);
      }
    });
    const givenUp = new AbortController();
    let eventsLeft = chance.happens(0.3) ? chance.int(1, 150) : -1;
    const copy = (signal: AbortSignal): Promise<Copied> =>
      this.#rig.copy(this.#direction, {
        conflict: this.#conflict,
        signal,
        send,
        onEvent: () => {
          eventsLeft -= 1;
          if (eventsLeft === 0) {
            givenUp.abort(new Error('given up'));
          }
          if (chance.happens(0.1)) {
            mutator.step(listing);
          }
        },
      });
    const copies = [await copy(givenUp.signal)];
    if (givenUp.signal.aborted) {
      listing = true;
      this.#wasCutShort = true;
      mutator.listedAnew();
      copies.push(await copy(new AbortController().signal));
    }
    assert.equal(copies.at(-1)?.error, null);
    assert.equal(copies.at(-1)?.wanted, true);
    return copies.map(({ account }) => account);
  }

  async #undisturbed(): Promise<Copied> {
    const copied = await this.#rig.copy(this.#direction, { conflict: this.#conflict });
    assert.equal(copied.error, null);
    return copied;
  }

  #check(
    when: string,
    about: Pick<Arrival, 'tree' | 'inTheWay' | 'changes' | 'before'>,
    accounts: readonly Account[],
  ): void {
    const { to } = this.#rig.sides(this.#direction);
    const account = accounts.at(-1);
    assert.ok(account);
    const problems = problemsOf({
      ...about,
      account,
      earlier: accounts.slice(0, -1),
      wasCutShort: this.#wasCutShort,
      target: `${to}/${ROOT}`,
      base: to,
      follow: this.#direction === 'send',
      conflict: this.#conflict,
      done: true,
    });
    assert.equal(problems.length, 0, `${when}, ${this.#conflict}:\n${problems.slice(0, 30).join('\n')}`);
  }
}
