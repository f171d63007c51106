/**
 * A tree as no person would make one: every kind of thing that a disk holds, under every kind of name. It is drawn from
 * a seed, with a folder beside it that its links lead out to.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { encodePath } from '../../src/names.ts';
import type { Chance } from './chance.ts';
import { below } from './disk-view.ts';
import { Names } from './odd-names.ts';

const MODES = [0o600, 0o644, 0o755, 0o400, 0o444, 0o000];
const FOLDER_MODES = [0o755, 0o700, 0o555];
const LARGE_LOW = 5 * 1024 * 1024;
const LARGE_HIGH = 12 * 1024 * 1024;
/** A path longer than this could not be opened once it lies in another folder. */
const LONGEST_PATH = 2_500;

const PIPES = 6;
const DAY_S = 86_400;

export interface RandomTree {
  /** The folder that is copied. */
  readonly root: string;
  /** What links lead out to. */
  readonly outside: string;
  /** Paths below the root. */
  readonly folders: readonly string[];
  /** With one name each. */
  readonly files: readonly string[];
  readonly large: readonly string[];
  readonly links: readonly string[];
  /** Made beforehand, beside the tree, for who needs one: no call of Node's makes them. */
  readonly pipes: string[];
}

interface Wanted {
  /** Takes the tree and what lies beside it. */
  readonly folder: string;
  /** The root's own name. */
  readonly name: string;
  readonly entries: number;
  readonly large: number;
}

/** @param wanted.folder exists, with no link on the way to it. */
export async function makeRandomTree(chance: Chance, wanted: Wanted): Promise<RandomTree> {
  const maker = new Maker(chance, wanted);
  maker.makeOutside();
  maker.makeFolders(Math.ceil(wanted.entries * 0.15));
  maker.makeFiles(Math.ceil(wanted.entries * 0.6), wanted.large);
  maker.makeHardLinks(Math.ceil(wanted.entries * 0.03));
  maker.makeLinks(Math.ceil(wanted.entries * 0.21));
  await maker.makeSpecial();
  maker.setModesAndTimes();
  return maker;
}

class Maker implements RandomTree {
  readonly root: string;
  readonly outside: string;
  readonly folders: string[] = [''];
  readonly files: string[] = [];
  readonly large: string[] = [];
  readonly links: string[] = [];
  readonly pipes: string[] = [];
  readonly #chance: Chance;
  readonly #names = new Map<string, Names>();

  constructor(chance: Chance, { folder, name }: Wanted) {
    this.#chance = chance;
    this.root = join(folder, name);
    this.outside = join(folder, 'outside');
    mkdirSync(this.root);
  }

  makeOutside(): void {
    const { outside, root } = this;
    mkdirSync(join(outside, 'blobs', 'deep', 'empty'), { recursive: true });
    writeFileSync(join(outside, 'blobs', 'a'), this.#chance.content(3_000));
    writeFileSync(join(outside, 'blobs', 'deep', 'b c'), 'out of the tree');
    symlinkSync('deep/b c', join(outside, 'blobs', 'inner'));
    symlinkSync(join(outside, 'blobs', 'deep'), join(outside, 'blobs', 'inner-absolute'));
    symlinkSync('..', join(outside, 'blobs', 'deep', 'up'));
    symlinkSync('../../other', join(outside, 'blobs', 'deep', 'further'));
    symlinkSync(root, join(outside, 'blobs', 'back'));
    mkdirSync(join(outside, 'other'));
    writeFileSync(join(outside, 'other', 'secret'), 'not of this tree', { mode: 0o600 });
    symlinkSync('nothing', join(outside, 'other', 'dangling'));
  }

  /** Some of them stay empty. */
  makeFolders(count: number): void {
    for (let made = 0; made < count; made++) {
      const path = this.#newPath();
      mkdirSync(this.#at(path));
      this.folders.push(path);
    }
  }

  makeFiles(count: number, large: number): void {
    for (let made = 0; made < count; made++) {
      const path = this.#newPath();
      if (made < large) {
        this.#makeLarge(path);
        this.large.push(path);
      } else if (this.#chance.happens(0.03)) {
        this.#makeSparse(path, this.#chance.int(10_000, 900_000));
      } else {
        const most = this.#chance.pick([0, 40, 40, 700, 700, 9_000]);
        writeFileSync(this.#at(path), this.#chance.content(this.#chance.int(0, most)));
      }
      this.files.push(path);
    }
  }

  #makeLarge(path: string): void {
    const size = this.#chance.int(LARGE_LOW, LARGE_HIGH);
    if (this.#chance.happens(0.3)) {
      this.#makeSparse(path, size);
    } else {
      writeFileSync(this.#at(path), this.#chance.content(size));
    }
  }

  /** A few islands in a hole; a hole at the end, as a rule. */
  #makeSparse(path: string, size: number): void {
    const file = openSync(this.#at(path), 'w');
    ftruncateSync(file, size);
    for (let islands = this.#chance.int(0, 3); islands > 0; islands--) {
      writeSync(file, this.#chance.content(300), 0, 300, this.#chance.int(0, size - 300));
    }
    closeSync(file);
  }

  makeHardLinks(count: number): void {
    const linked = this.#chance.some(
      this.files.filter(path => !this.large.includes(path)),
      count,
    );
    for (const path of linked) {
      linkSync(this.#at(path), this.#at(this.#newPath()));
      this.files.splice(this.files.indexOf(path), 1);
    }
  }

  makeLinks(count: number): void {
    for (let made = 0; made < count; made++) {
      const path = this.#newPath();
      symlinkSync(encodePath(this.#linkText(path)), this.#at(path));
      this.links.push(path);
      const atS = this.#chance.int(1, 2_000_000_000);
      lutimesSync(this.#at(path), atS, atS);
    }
  }

  #linkText(link: string): string {
    const { root, outside } = this;
    const up = '../'.repeat(link.split('/').length - 1);
    const inside = this.#chance.pick(this.#chance.happens(0.3) ? this.folders : this.files);
    const texts = [
      // Inside, said in every way.
      () => (inside === '' ? up || '.' : up + inside),
      () => below(root, inside),
      () => `${up}../${root.split('/').at(-1) ?? ''}/${inside}`,
      () => up + (this.links.at(-1) ?? 'nothing'),
      // Nowhere.
      () => 'nothing',
      () => `${up}gone/deep`,
      () => below(root, 'nothing here'),
      () => '/nonexistent/place',
      () => link.split('/').at(-1) ?? '.',
      () => `${link.split('/').at(-1) ?? '.'}/x`,
      // Round in circles.
      () => '.',
      () => (link.includes('/') ? '..' : '.'),
      // Out.
      () => join(outside, 'blobs', 'a'),
      () => `${up}../outside/other/secret`,
      () => join(outside, 'blobs'),
      () => `${up}../outside/other`,
      () => `${up}..`,
      () => join(outside, '..'),
      () => join(outside, 'other', 'dangling'),
      () => join(outside, 'blobs', 'back'),
    ];
    return this.#chance.pick(texts)();
  }

  async makeSpecial(): Promise<void> {
    const [pipe, deepPipe, socket] = [this.#newPath(), this.#newPath(), this.#newPath()];
    // A socket's path must be short; it can be moved afterwards.
    const short = join(this.outside, '..', 's');
    await new Promise<void>(resolve => {
      const server = createServer().listen(short, () => {
        renameSync(short, this.#at(socket));
        server.close(() => resolve());
      });
    });
    this.pipes.push(
      ...Array.from({ length: PIPES }, (_, number) => `${this.outside}.pipe${number.toString()}`),
    );
    execFileSync('mkfifo', this.pipes);
    for (const path of [pipe, deepPipe]) {
      renameSync(this.pipes.pop() ?? '', this.#at(path));
    }
  }

  setModesAndTimes(): void {
    const chance = this.#chance;
    for (const path of this.files) {
      if (chance.happens(0.4)) {
        chmodSync(this.#at(path), chance.pick(MODES));
      }
      this.#setTime(path);
    }
    // Backwards, so that what is done below a folder does not change its time again.
    for (const path of this.folders.toReversed()) {
      this.#setTime(path);
      if (chance.happens(0.3)) {
        chmodSync(this.#at(path), chance.pick(FOLDER_MODES));
      }
    }
  }

  #setTime(path: string): void {
    const chance = this.#chance;
    const atS = chance.pick([
      0,
      1,
      -DAY_S * 400,
      chance.int(1, 2_000_000_000),
      chance.int(1, 2_000_000_000) + 0.123,
      1_700_000_000.999_999,
      // After 2038, and after 2106.
      2_500_000_000,
      4_400_000_000.5,
    ]);
    // Node takes a number below 0 for now, but not a date.
    const at = atS < 0 ? new Date(atS * 1000) : atS;
    utimesSync(this.#at(path), at, at);
  }

  #newPath(): string {
    let folder = this.#chance.pick(this.folders);
    while (Buffer.byteLength(folder) > LONGEST_PATH) {
      folder = this.#chance.pick(this.folders);
    }
    let names = this.#names.get(folder);
    if (names === undefined) {
      names = new Names(this.#chance);
      this.#names.set(folder, names);
    }
    const name = names.next();
    return folder === '' ? name : `${folder}/${name}`;
  }

  #at(path: string): string | Buffer {
    return encodePath(below(this.root, path));
  }
}
