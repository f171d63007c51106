// Tells what happens, each line with the time since the start.
export class Narrator {
  readonly #startedAt = performance.now();
  #lineOpen = false;

  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  /** A step of the story. */
  step(text: string): void {
    this.#line(`[${this.seconds.toFixed(1).padStart(5)} s] ${text}`);
  }

  /** What belongs to the step before. */
  detail(text: string): void {
    for (const line of text.trimEnd().split('\n')) {
      this.#line(`          ${line}`);
    }
  }

  /** A piece of a cell's output, which may end in the middle of a line. */
  output(text: string): void {
    for (const piece of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
      process.stdout.write(this.#lineOpen ? piece : `        │ ${piece}`);
      this.#lineOpen = !piece.endsWith('\n');
    }
  }

  #line(text: string): void {
    if (this.#lineOpen) {
      process.stdout.write('\n');
      this.#lineOpen = false;
    }
    console.log(text);
  }
}
