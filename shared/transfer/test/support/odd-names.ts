/** Names of files as people, programs and other systems make them. */
import { decodeName } from '../../src/names.ts';
import type { Chance } from './chance.ts';

const ORDINARY = [
  'data.csv',
  'train.py',
  'notes.md',
  'model.safetensors',
  'run',
  'Untitled.ipynb',
  'log.txt',
];

const ODD = [
  ' leading and  two spaces.txt',
  'space at the end ',
  'dot at the end.',
  '🚀 launch 👩‍💻.md',
  'café.txt'.normalize('NFC'),
  'café.txt'.normalize('NFD'),
  'line\nbreak.txt',
  'bell\u0007 and \u001b[31mred',
  'a\ttab',
  'it\'s "quoted" `so`',
  'back\\slash\\.txt',
  '100%.txt',
  '%2e%2e%2fetc',
  // What a name in Latin-1 is stored as.
  'caf%E9.txt',
  '-rf',
  '--help',
  '.hidden',
  '..x',
  '...',
  '~',
  '$HOME;echo',
  '*?<>|:',
  'turned\u202etxt.exe',
  '\ufeffmark',
  'con',
  'nul.txt',
  'COM1',
  'aux.tar.gz',
  '__proto__',
  'constructor',
  '.hitch-no-part.part',
  'name (2026-01-01 00.00.00).txt',
  `${'n'.repeat(246)}.txt`,
  `v1.${'long'.repeat(63)}`,
  '名'.repeat(83),
];

/** Bytes that are no UTF-8: Latin-1, a sequence that breaks off, half of a surrogate pair. Linux alone takes such names. */
const NO_UTF8 = [
  Buffer.from('caf\u00e9.txt', 'latin1'),
  Buffer.from([0xff, 0xfe, 0x78]),
  Buffer.from([0x65, 0xe2, 0x82]),
  Buffer.from([0xed, 0xa0, 0x80, 0x2e, 0x63]),
].map(decodeName);

const TAKEN_APART = process.platform === 'linux' ? (name: string): string => name : foldedName;

/** Where a disk takes two spellings for one name, only one of them is made. */
function foldedName(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** Draws names for the things in one folder, no two alike. */
export class Names {
  readonly #chance: Chance;
  readonly #odd: readonly string[];
  readonly #taken = new Set<string>();
  #number = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.#odd = process.platform === 'linux' ? [...ODD, ...NO_UTF8] : ODD;
  }

  next(): string {
    const wanted = this.#chance.happens(0.45)
      ? this.#chance.pick(this.#odd)
      : this.#chance.happens(0.3)
        ? this.#chance.pick(ORDINARY)
        : this.#numbered();
    const name = this.#taken.has(TAKEN_APART(wanted)) ? this.#numbered() : wanted;
    this.#taken.add(TAKEN_APART(name));
    return name;
  }

  #numbered(): string {
    this.#number += 1;
    return `${this.#chance.pick(['f', 'part-', 'epoch_'])}${this.#number.toString()}`;
  }
}
