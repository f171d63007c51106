/**
 * Reads a terminal's stream into text and sequences, wherever it is cut. The states are those of the VT500's parser (Paul
 * Williams, vt100.net/emu/dec_ansi_parser), which xterm, VTE and xterm.js follow. Whoever writes a sequence on writes it
 * anew from its parts, so a terminal that reads differently has nothing to read differently.
 */

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  /** One C0 control. */
  | { readonly kind: 'control'; readonly text: string }
  /** `ESC`, intermediates and a final character. */
  | { readonly kind: 'escape'; readonly marks: string; readonly final: string }
  /** `marks` are private markers (`?<=>`) and intermediates, in that order. */
  | { readonly kind: 'csi'; readonly params: string; readonly marks: string; readonly final: string }
  | { readonly kind: 'string'; readonly of: StringKind; readonly text: string; readonly tooLong: boolean };

/** `k`: the title of screen and tmux. */
export type StringKind = 'osc' | 'dcs' | 'apc' | 'pm' | 'sos' | 'k';

type State = 'ground' | 'escape' | 'csi' | 'string';

const ESC = '\u001b';
const BEL = '\u0007';
/** Abort whatever sequence they stand in. */
const ABORTS = new Set(['\u0018', '\u001a']);
/** Pictures are strings too. */
export const LONGEST_STRING = 8 * 1024 * 1024;
const LONGEST_CSI = 200;

const STRINGS: Readonly<Record<string, StringKind>> = {
  ']': 'osc',
  P: 'dcs',
  _: 'apc',
  '^': 'pm',
  X: 'sos',
  k: 'k',
};
/** The same as one character each; all other C1 controls stand for nothing that a program of today sends. */
const C1_STRINGS: Readonly<Record<string, StringKind>> = {
  '\u009d': 'osc',
  '\u0090': 'dcs',
  '\u009f': 'apc',
  '\u009e': 'pm',
  '\u0098': 'sos',
};
const C1_CSI = '\u009b';
const C1_ST = '\u009c';

const isControl = (character: string): boolean => character < ' ';
const isC1 = (character: string): boolean => character >= '\u0080' && character <= '\u009f';

export class EscapeReader {
  #state: State = 'ground';
  #held = '';
  #string: StringKind = 'osc';
  #tooLong = false;
  #pieces: Piece[] = [];
  readonly #isWithinLine: boolean;

  /** @param isWithinLine a string ends with its line: what never ends would swallow all that follows. */
  constructor({ isWithinLine = false }: { readonly isWithinLine?: boolean } = {}) {
    this.#isWithinLine = isWithinLine;
  }

  /** What is complete by the end of `text`; the rest waits for more. */
  read(text: string): readonly Piece[] {
    this.#pieces = [];
    for (let at = 0; at < text.length;) {
      at = this.#state === 'ground' || this.#state === 'string' ? this.#run(text, at) : at;
      const character = text[at++];
      if (character !== undefined) {
        this.#take(character);
      }
    }
    return this.#pieces;
  }

  /** Takes everything up to the next character that may mean something. */
  #run(text: string, at: number): number {
    const means = /[\u0000-\u001f\u007f-\u009f]/g;
    means.lastIndex = at;
    const end = means.exec(text)?.index ?? text.length;
    const plain = text.slice(at, end);
    if (plain !== '') {
      if (this.#state === 'ground') {
        this.#pieces.push({ kind: 'text', text: plain });
      } else {
        this.#hold(plain);
      }
    }
    return end;
  }

  #take(character: string): void {
    if (ABORTS.has(character)) {
      this.#enter('ground');
    } else if (character === ESC) {
      // Ends a string as ST does, whose second half is an escape of its own.
      this.#endString();
      this.#enter('escape');
    } else if (this.#state === 'string') {
      this.#inString(character);
    } else if (isC1(character)) {
      this.#c1(character);
    } else if (isControl(character)) {
      // Inside of a sequence a terminal carries it out and goes on.
      this.#pieces.push({ kind: 'control', text: character });
    } else if (character !== '\u007f') {
      this.#inSequence(character);
    }
  }

  #c1(character: string): void {
    const string = C1_STRINGS[character];
    if (string !== undefined) {
      this.#begin(string);
    } else {
      this.#enter(character === C1_CSI ? 'csi' : 'ground');
    }
  }

  #inString(character: string): void {
    if (character === BEL || character === C1_ST) {
      this.#endString();
    } else if (this.#isWithinLine && (character === '\n' || character === '\r')) {
      this.#endString();
      this.#pieces.push({ kind: 'control', text: character });
    } else if (!isControl(character) && !isC1(character)) {
      this.#hold(character);
    }
  }

  #inSequence(character: string): void {
    if (character > '\u007e') {
      // No sequence holds it: what began is none.
      this.#enter('ground');
      this.#pieces.push({ kind: 'text', text: character });
    } else if (this.#state === 'escape') {
      this.#escape(character);
    } else if (character < '@') {
      this.#held += this.#held.length < LONGEST_CSI ? character : '';
    } else {
      this.#endCsi(character);
    }
  }

  #escape(character: string): void {
    const string = this.#held === '' ? STRINGS[character] : undefined;
    if (string !== undefined) {
      this.#begin(string);
    } else if (this.#held === '' && character === '[') {
      this.#enter('csi');
    } else if (character >= ' ' && character <= '/') {
      this.#held += this.#held.length < LONGEST_CSI ? character : '';
    } else {
      const marks = this.#held;
      this.#enter('ground');
      // The second half of ST, whose string has ended already.
      if (character !== '\\') {
        this.#pieces.push({ kind: 'escape', marks, final: character });
      }
    }
  }

  #endCsi(final: string): void {
    const [, priv = '', params = '', intermediates = '', rest = ''] =
      /^([<=>?]*)([0-9:;]*)([ -/]*)(.*)$/.exec(this.#held) ?? [];
    this.#enter('ground');
    // Parts in another order are no sequence to anybody.
    if (rest === '') {
      this.#pieces.push({ kind: 'csi', params, marks: priv + intermediates, final });
    }
  }

  #begin(string: StringKind): void {
    this.#enter('string');
    this.#string = string;
    this.#tooLong = false;
  }

  #hold(text: string): void {
    if (this.#held.length + text.length > LONGEST_STRING) {
      this.#tooLong = true;
      this.#held = '';
    }
    this.#held += this.#tooLong ? '' : text;
  }

  #endString(): void {
    if (this.#state === 'string') {
      this.#pieces.push({ kind: 'string', of: this.#string, text: this.#held, tooLong: this.#tooLong });
      this.#enter('ground');
    }
  }

  #enter(state: State): void {
    this.#state = state;
    this.#held = '';
  }
}
