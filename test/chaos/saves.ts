/**
 * What saves bring before a stop. In most runs only how they end; in some the real engine of every copy, over real
 * folders: each call to either end is a step at which the daemon may die, and may fail as disks and machines do.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type Account, type Copy, HitchError, missingCount } from '@hitch/contract';
import { DiskSource, DiskTarget, type Source, type Target } from '@hitch/transfer';
import { OwnFiles } from '../../shared/transfer/src/own-files.ts';
import { Copies, type Saves } from '../../backend-proxy/src/copies/copies.ts';
import type { Sides } from '../../backend-proxy/src/copies/plan.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { type Home, homeAt } from '@hitch/platform/src/paths.ts';
import { createIds, type Random, randomInt } from '@hitch/platform/src/random.ts';
import { FakeSaves } from '../../backend-proxy/test/clusters/fake-saves.ts';
import type { Mortal } from './mortal.ts';
import type { SavePlan } from './plan.ts';

const MINUTE = 60_000;
/** Longer than most stop times and small caps leave. */
const LATE_MS = 120 * MINUTE;

export interface SaveOptions {
  readonly plan: SavePlan;
  readonly random: Random;
  readonly isOver: () => boolean;
  readonly onFault: (name: string) => void;
}

export class SavedFiles {
  readonly home: Home;
  readonly #options: SaveOptions;
  /** Null in runs without real files. */
  readonly #folder: string | null;
  #hasWork = false;
  /** Files that a save did not bring though it said that nothing is missing. */
  readonly #leftOut = new Set<string>();

  constructor(options: SaveOptions) {
    this.#options = options;
    this.#folder = options.plan.realFiles ? mkdtempSync(join(tmpdir(), 'hitch-chaos-')) : null;
    this.home = homeAt(this.#folder === null ? '/nonexistent/hitch' : join(this.#folder, 'home'));
  }

  /** The saves of one daemon. */
  of(mortal: Mortal, clock: Clock, plant: (source: Source) => Source = source => source): Saves {
    return this.#folder === null ? this.#told(mortal, clock) : this.#real(this.#folder, mortal, clock, plant);
  }

  /** Files that were saved and are not what they were on the machine, or that were left out without a word. */
  damaged(): readonly string[] {
    if (this.#folder === null || !this.#hasWork) {
      return [];
    }
    const work = join(this.#folder, 'work');
    const contents = filesBelow(work).map(path => readFileSync(path));
    const isWhole = (path: string): boolean => {
      const saved = readFileSync(path);
      return contents.some(content => content.equals(saved));
    };
    const changed = filesBelow(this.home.saved)
      .filter(path => !relative(this.home.saved, path).startsWith('.own') && !isPart(path))
      .filter(path => !isWhole(path))
      .map(path => relative(this.home.saved, path));
    return [...this.#leftOut, ...changed];
  }

  /** What has just ended must have brought everything, or say what is missing. */
  #checkWhole(folder: string, { state, account }: Copy): void {
    if (this.#folder === null || state !== 'done' || missingCount(account) > 0) {
      return;
    }
    const work = join(this.#folder, 'work');
    for (const path of filesBelow(work)) {
      const name = relative(work, path);
      const saved = join(folder, name);
      if (!existsSync(saved) || !readFileSync(saved).equals(readFileSync(path))) {
        this.#leftOut.add(`${relative(this.home.saved, folder)}: ${name}`);
      }
    }
  }

  close(): void {
    if (this.#folder !== null) {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  #strikes(chance: number, name: string): boolean {
    const { random, isOver, onFault } = this.#options;
    const does = !isOver() && random.next() < chance;
    if (does) {
      onFault(name);
    }
    return does;
  }

  /** Saves without files: how they end is drawn. */
  #told(mortal: Mortal, clock: Clock): Saves {
    const { plan, random } = this.#options;
    const bring = async (prepare: () => Promise<void>, signal: AbortSignal): Promise<Partial<Account>> => {
      await prepare();
      const isLate = this.#strikes(plan.lateChance, 'a save that runs late');
      await clock.sleep(isLate ? LATE_MS : randomInt(random, 0, MINUTE), signal);
      if (this.#strikes(plan.failChance, 'a save that fails')) {
        throw new HitchError('STORAGE_FULL', 'The disk of this computer is full.');
      }
      return this.#strikes(plan.partChance, 'a save that brings a part')
        ? {
            copiedFiles: 1,
            copiedBytes: 1,
            outcomes: { unreadable: { count: 1, names: [{ path: 'out/x', detail: 'Permission denied.' }] } },
          }
        : { copiedFiles: 1, copiedBytes: 1 };
    };
    return new FakeSaves(clock, ({ prepare }, signal) => mortal.step('save', () => bring(prepare, signal)));
  }

  #real(folder: string, mortal: Mortal, clock: Clock, plant: (source: Source) => Source): Saves {
    const { random } = this.#options;
    const copies = new Copies({
      clock,
      ids: createIds(clock, random),
      log: silentLog,
      folder: this.home.copies,
      linkFor: () => {
        throw new HitchError('UNREACHABLE', 'There is no way to this machine.');
      },
      sidesOf: () => {
        this.#makeWork(folder);
        return this.#sides(folder, mortal, plant);
      },
      flush: () => mortal.step('save: flush', () => Promise.resolve(), killed),
    });
    const death = new Promise<never>((_, reject) => {
      mortal.afterDeath(() => {
        copies.close();
        reject(new Error('killed'));
      });
    });
    death.catch(() => undefined);
    return {
      save: request => {
        const saving = copies.save({ ...request, prepare: () => Promise.race([request.prepare(), death]) });
        void saving.ended.then(
          copy => this.#checkWhole(request.folder, copy),
          () => undefined,
        );
        return saving;
      },
      saving: clusterId => copies.saving(clusterId),
      endSaves: (clusterId, reason) => copies.endSaves(clusterId, reason),
    };
  }

  /** Most runs come to no save. */
  #makeWork(folder: string): void {
    if (!this.#hasWork) {
      this.#hasWork = true;
      makeWork(join(folder, 'work'), this.#options.random);
      mkdirSync(this.home.copies, { recursive: true });
    }
  }

  #sides(folder: string, mortal: Mortal, plant: (source: Source) => Source): Sides {
    const { plan } = this.#options;
    const machine = this.#steps<Source>(
      'machine',
      mortal,
      plant(new DiskSource(join(folder, 'work'))),
      () => {
        if (this.#strikes(plan.failChance / 10, 'a save that fails')) {
          throw new HitchError('UNREACHABLE', 'The machine does not answer.');
        }
      },
    );
    const target = (base: string, ownList: string | null) =>
      this.#steps<Target>(
        'disk',
        mortal,
        new DiskTarget({
          base,
          throughLinks: false,
          ...(ownList === null ? {} : { own: new OwnFiles(ownList) }),
        }),
        () => {
          if (this.#strikes(plan.partChance / 10, 'a save that brings a part')) {
            throw new HitchError('STORAGE_FULL', 'The disk of this computer is full.');
          }
        },
      );
    return {
      machine: {
        list: (roots, rules, signal) => machine.list(roots, rules, signal),
        read: (roots, entries, signal) => machine.read(roots, entries, signal),
        open: (roots, entry, offset, signal) => machine.open(roots, entry, offset, signal),
        hash: (roots, entries, upTo, signal) => machine.hash(roots, entries, upTo, signal),
        asTarget: () => {
          throw new Error('Nothing is sent.');
        },
      },
      disk: {
        source: () => {
          throw new Error('Nothing is sent.');
        },
        target: (base, _throughLinks, ownList = null) => target(base, ownList),
        close: () => Promise.resolve(),
      },
    };
  }

  /** One end of a copy with a step before and after each call, and each piece of a stream. */
  #steps<Side extends object>(name: string, mortal: Mortal, side: Side, fail: () => void): Side {
    return new Proxy(side, {
      get: (of, property) => {
        const method: unknown = Reflect.get(of, property);
        if (typeof method !== 'function') {
          return method;
        }
        const step = `save: ${name}.${String(property)}`;
        return (...args: unknown[]): unknown => {
          if (property === 'room') {
            return mortal.step(step, () => Promise.resolve(2 ** 40), killed);
          }
          if (property === 'list' || property === 'read') {
            return stepped(step, mortal, fail, () => method.apply(of, args) as AsyncIterable<unknown>);
          }
          return mortal.step(
            step,
            async () => {
              fail();
              return (await method.apply(of, args)) as unknown;
            },
            killed,
          );
        };
      },
    });
  }
}

async function* stepped(
  name: string,
  mortal: Mortal,
  fail: () => void,
  begin: () => AsyncIterable<unknown>,
): AsyncGenerator {
  const iterator = begin()[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await mortal.step(
        name,
        async () => {
          fail();
          return iterator.next();
        },
        killed,
      );
      if (next.done === true) {
        return;
      }
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** A killed daemon does nothing more; that its engine hears so lets it close the files it had open. */
const killed = (): Promise<never> => Promise.reject(new Error('killed'));

/** A part carries a name of its own until it is whole. */
const isPart = (path: string): boolean => /[/\\]\.hitch-[^/\\]*\.part$/.test(path);

function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) {
    // Nothing was saved.
    return [];
  }
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile());
}

/** A few small files and one that travels by itself. */
function makeWork(folder: string, random: Random): void {
  const out = join(folder, 'out');
  mkdirSync(join(out, 'deep'), { recursive: true });
  for (let number = 0; number < 4; number++) {
    writeFileSync(
      join(out, number % 2 === 0 ? 'deep' : '', `${number.toString()}.txt`),
      random
        .next()
        .toString()
        .repeat(randomInt(random, 1, 200)),
    );
  }
  writeFileSync(join(out, 'model.bin'), Buffer.alloc(4 * 1024 * 1024 + 1_000, random.next().toString()));
}
