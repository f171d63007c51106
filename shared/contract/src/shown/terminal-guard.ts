/**
 * What a program on a cluster may do to the terminal it was given. Whatever draws on its screen passes: an editor, a
 * process list or a picture looks as it does over any ssh. What reaches further does not, because the machine is a
 * stranger's and the terminal is this computer's:
 *
 * - the clipboard, read or written (OSC 52), notifications (OSC 9, 99, 777), files (OSC 1337), folders and commands of this
 *   computer (OSC 7, 133, 633, 697): of operating-system commands only the titles, colours and links pass, since terminals
 *   go on inventing others. A title is made plain; a link leads to the web or nowhere; a colour is set, not asked for,
 *   since the answer is typed into the shell;
 * - answers whose text the machine chooses, which the terminal then types: title reports (CSI 20 t, 21 t), the answerback
 *   (ENQ), settings and terminfo (DECRQSS, XTGETTCAP), keys with new meanings (DECUDK), a screen's checksum (DECRQCRA).
 *   Fixed answers, such as a cursor's place, stay: editors wait for them;
 * - the window, which it could move, shrink, hide or resize (CSI t), and the printer (CSI i);
 * - sequences inside of sequences: tmux and screen unwrap them behind our back;
 * - pictures by a file's name (kitty's APC), and all private strings.
 */
import { EscapeReader, type Piece } from './escape-reader.ts';
import { shownLine } from './text.ts';

const TITLES = new Set(['0', '1', '2']);
/** 4: palette; 10 to 19: text, background, cursor; 104 to 119: the same as they were. */
const COLOURS = new Set([
  '4',
  '5',
  '10',
  '11',
  '12',
  '17',
  '19',
  '104',
  '105',
  '110',
  '111',
  '112',
  '117',
  '119',
]);
const LONGEST_TITLE = 200;
const LONGEST_COMMAND = 4_096;
/** Sizes in numbers, and keeping and putting back the title. */
const HARMLESS_WINDOW = new Set(['14', '15', '16', '18', '19', '22', '23']);
const WEB_ADDRESS = /^(?:https?:\/\/|mailto:)[!-~]*$/i;

const osc = (text: string): string => `\u001b]${text}\u001b\\`;

function operatingSystemCommand(text: string): string {
  const [, number = '', rest = ''] = /^(\d*);?([\s\S]*)$/.exec(text) ?? [];
  if (text.length > LONGEST_COMMAND) {
    return '';
  }
  if (TITLES.has(number)) {
    return osc(`${number};${shownLine(rest.slice(0, LONGEST_TITLE))}`);
  }
  if (COLOURS.has(number)) {
    return rest.split(';').some(part => part.trim().startsWith('?')) ? '' : osc(`${number};${rest}`);
  }
  if (number === '8') {
    const [params = '', ...address] = rest.split(';');
    const uri = address.join(';');
    return WEB_ADDRESS.test(uri) ? osc(`8;${params};${uri}`) : osc('8;;');
  }
  return '';
}

function string(piece: Extract<Piece, { kind: 'string' }>): string {
  if (piece.tooLong) {
    return '';
  }
  switch (piece.of) {
    case 'osc':
      return operatingSystemCommand(piece.text);
    case 'dcs':
      // Sixel: a picture in the text itself.
      return /^[0-9;]*q/.test(piece.text) ? `\u001bP${piece.text}\u001b\\` : '';
    case 'apc':
    case 'pm':
    case 'sos':
    case 'k':
      return '';
  }
}

function controlSequence({ params, marks, final }: Extract<Piece, { kind: 'csi' }>): string {
  const isWindow = final === 't' && marks === '' && !HARMLESS_WINDOW.has(params.split(';')[0] ?? '');
  const isPrinter = final === 'i';
  const isChecksum = final === 'y' && marks.includes('*');
  if (isWindow || isPrinter || isChecksum) {
    return '';
  }
  const [, priv = '', intermediates = ''] = /^([<=>?]*)(.*)$/.exec(marks) ?? [];
  return `\u001b[${priv}${params}${intermediates}${final}`;
}

/** Leaving UTF-8 outlasts the session. */
const OUTLASTING = new Set(['%']);

/** One terminal's stream; its pieces may be cut anywhere. */
export class TerminalGuard {
  readonly #reader = new EscapeReader();

  write(text: string): string {
    return this.#reader
      .read(text)
      .map(piece => {
        switch (piece.kind) {
          case 'text':
            return piece.text;
          case 'control':
            return piece.text === '\u0005' ? '' : piece.text;
          case 'escape':
            return OUTLASTING.has(piece.marks) ? '' : `\u001b${piece.marks}${piece.final}`;
          case 'csi':
            return controlSequence(piece);
          case 'string':
            return string(piece);
        }
      })
      .join('');
  }
}

/**
 * For the terminal that is given back to a shell of this computer: no mouse or focus reports, no bracketed paste, no other
 * screen, cursor and keys as usual, no colour. A program there that ended badly would otherwise go on typing here.
 */
export const TERMINAL_AS_BEFORE =
  '\u001b[?9;1000;1001;1002;1003;1004;1005;1006;1015;1016;2004l\u001b[?1047l\u001b[<u\u001b[>4m\u001b[!p\u001b[?25h\u001b[0m';
