/**
 * Output that a program on a cluster made (a cell, a log), as it may be written to a terminal that is not its own.
 * Colours stay, as in Jupyter's notebooks, and so do carriage returns and tabs: progress bars are made of them. All other
 * sequences go, as they do there; `kubectl logs` and `docker logs` hand them on, but those show programs that one trusts.
 */
import { EscapeReader, type Piece } from './escape-reader.ts';
import { escapeCharacter } from './text.ts';

const RESET = '\u001b[0m';
/** They turn around what stands before and after them; all other letters of right-to-left scripts stay. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g;

/** One stream of output; its pieces may be cut anywhere. */
export class OutputText {
  #reader = new EscapeReader({ isWithinLine: true });
  readonly #colour: boolean;
  #styled = false;

  /** @param colour whether colours can be shown; else they go too. */
  constructor(colour: boolean) {
    this.#colour = colour;
  }

  write(text: string): string {
    return this.#reader
      .read(text)
      .map(piece => this.#shown(piece))
      .join('');
  }

  /** Ends what the output has left open, so that what comes next neither wears its colours nor is part of a sequence. */
  end(): string {
    const left = this.#styled ? RESET : '';
    this.#styled = false;
    this.#reader = new EscapeReader({ isWithinLine: true });
    return left;
  }

  #shown(piece: Piece): string {
    switch (piece.kind) {
      case 'text':
        return piece.text.replace(TURNING, escapeCharacter);
      case 'control':
        return ['\n', '\r', '\t'].includes(piece.text) ? piece.text : '';
      case 'csi': {
        const isColour = piece.final === 'm' && piece.marks === '' && /^[0-9;:]*$/.test(piece.params);
        if (!isColour || !this.#colour) {
          return '';
        }
        this.#styled = !/^(?:0*;)*0*$/.test(piece.params);
        return `\u001b[${piece.params}m`;
      }
      case 'escape':
      case 'string':
        return '';
    }
  }
}

/** A whole text at once. */
export function outputText(text: string, colour: boolean): string {
  const output = new OutputText(colour);
  return output.write(text) + output.end();
}
