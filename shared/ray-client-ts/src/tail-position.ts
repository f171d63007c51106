/**
 * Where a followed log stands, so that a stream which starts again at its first byte can be continued.
 *
 * Counting characters alone is not enough. Ray reads the log with universal newlines: when it reaches the end of
 * the file right after a carriage return, that becomes a line end, and the line feed which arrives a moment later
 * becomes a second one. A later reading of the same file sees one. So the position is the number of characters
 * other than line ends, and how many line ends followed the last of them.
 */
const LINE_FEED = 10;

export class TailPosition {
  #solid = 0;
  #lineEnds = 0;

  /** Starts a reading from the first byte of the log. Only the latest reading may be fed. */
  replay(): { take(text: string): string } {
    let solidToSkip = this.#solid;
    let lineEndsToSkip = this.#lineEnds;
    return {
      take: text => {
        let start = 0;
        for (; solidToSkip > 0 && start < text.length; start += 1) {
          if (text.charCodeAt(start) !== LINE_FEED) solidToSkip -= 1;
        }
        if (solidToSkip > 0) return '';
        for (; lineEndsToSkip > 0 && start < text.length; start += 1) {
          if (text.charCodeAt(start) !== LINE_FEED) {
            lineEndsToSkip = 0;
            break;
          }
          lineEndsToSkip -= 1;
        }
        const fresh = start === 0 ? text : text.slice(start);
        this.#advance(fresh);
        return fresh;
      },
    };
  }

  #advance(text: string): void {
    let solid = 0;
    let lineEnds = this.#lineEnds;
    for (let i = 0; i < text.length; i += 1) {
      if (text.charCodeAt(i) === LINE_FEED) lineEnds += 1;
      else {
        solid += 1;
        lineEnds = 0;
      }
    }
    this.#solid += solid;
    this.#lineEnds = lineEnds;
  }
}
