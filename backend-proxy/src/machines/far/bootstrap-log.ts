/** What the bootstrap of a far machine says while it runs: stages, bytes, and how it ended. */
import { cutText } from '@hitch/contract';
import { UvProgress } from '../environments/uv-progress.ts';

export type BootstrapEnd =
  | { readonly kind: 'ok'; readonly node: string; readonly python: string }
  | { readonly kind: 'failed'; readonly stage: string; readonly why: string; readonly words: string }
  /** It ended without a last word: it was killed, or could not write one. */
  | { readonly kind: 'cut' };

const LONGEST_WORDS = 400;
const MEGABYTE = 1_000_000;

/** Takes the log as it comes, in whatever pieces. */
export class BootstrapLog {
  readonly #report: (sentence: string) => void;
  #said = '';
  #rest = '';
  #stage = '';
  #end: BootstrapEnd = { kind: 'cut' };
  #uv: UvProgress | null = null;
  #pythonVersion: string | null = null;
  /** The lines after `::ok`: Node, then Python. */
  #found: string[] | null = null;
  readonly #decoder = new TextDecoder();

  constructor(report: (sentence: string) => void) {
    this.#report = report;
  }

  take(bytes: Uint8Array): void {
    const lines = `${this.#rest}${this.#decoder.decode(bytes, { stream: true })}`.split('\n');
    this.#rest = cutText(lines.pop() ?? '', LONGEST_WORDS * 10);
    lines.forEach(line => this.#line(line));
  }

  get end(): BootstrapEnd {
    return this.#end;
  }

  /** The Python that packages are installed for; null: it did not come to that. */
  get pythonVersion(): string | null {
    return this.#pythonVersion;
  }

  #line(line: string): void {
    if (this.#found !== null) {
      this.#found.push(line);
      const [node, python] = this.#found;
      if (node !== undefined && python !== undefined) {
        this.#end = { kind: 'ok', node, python };
        this.#found = null;
      }
      return;
    }
    const [, word, text = ''] = /^::([a-z]+) ?(.*)$/.exec(line) ?? [];
    switch (word) {
      case 'stage':
        this.#stage = cutText(text.replace(/^\S+ /, ''), LONGEST_WORDS);
        this.#say(this.#stage);
        break;
      case 'bytes':
        this.#bytes(text);
        break;
      case 'uv': {
        const [, seconds = '0', said = ''] = /^(\d+) (.*)$/.exec(text) ?? [];
        this.#uv ??= new UvProgress(this.#stage.replace(/\.$/, ''));
        const progress = this.#uv.take(cutText(said, LONGEST_WORDS), Number(seconds) * 1000);
        if (progress !== null) {
          this.#say(progress);
        }
        break;
      }
      case 'fail': {
        const [, stage = '', why = '', words = ''] = /^(\S+) (\S+) ?(.*)$/.exec(text) ?? [];
        this.#end = { kind: 'failed', stage, why, words: cutText(words, LONGEST_WORDS) };
        break;
      }
      case 'for':
        this.#pythonVersion = /^\d+\.\d+\.\d+$/.exec(text)?.[0] ?? null;
        break;
      case 'ok':
        this.#found = [];
        break;
      default:
    }
  }

  #say(sentence: string): void {
    if (sentence !== this.#said) {
      this.#said = sentence;
      this.#report(sentence);
    }
  }

  #bytes(text: string): void {
    const [, got = 0, total = 0] = text.split(' ').map(Number);
    if (this.#stage !== '' && Number.isFinite(got)) {
      const of = total > 0 ? ` of ${megabytes(total)}` : '';
      this.#say(`${this.#stage.replace(/( \(\d+ MB\))?\.$/, '')}: ${megabytes(got)}${of} MB.`);
    }
  }
}

const megabytes = (bytes: number): string => Math.round(bytes / MEGABYTE).toString();
