/** `hitch job run llm-dev train.py --epochs 3`: what stands behind the file is the file's, without a `--` before it. */

/** Options of `job run` that take no value; all others take the next word. */
const ALONE: ReadonlySet<string> = new Set([
  ...[
    '--no-send',
    '--detach',
    '-d',
    '--json',
    '--help',
    '-h',
    '--rent',
    '--yes',
    '-y',
    '--practice',
    '--real',
  ],
  ...['--rentable', '--spot', '--on-demand', '--or-not-stated', '--multi-node', '--ends-alone'],
]);

/** The command line with `--` before what is to be run, unless a person has written it, or names nothing there. */
export function withVerbatimCommand(argv: readonly string[]): readonly string[] {
  if (argv[0] !== 'job' || argv[1] !== 'run') {
    return argv;
  }
  let names = 0;
  // A job that rents names no cluster: its first word is what is to be run.
  let first = 2;
  for (let at = 2; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--') {
      return argv;
    }
    if (word.startsWith('-') && word !== '-') {
      first = word === '--rent' ? 1 : first;
      at += ALONE.has(word) || word.includes('=') ? 0 : 1;
      continue;
    }
    names += 1;
    if (names === first) {
      // A notebook takes no words of its own.
      return /\.ipynb$/i.test(word) ? argv : [...argv.slice(0, at), '--', ...argv.slice(at)];
    }
  }
  return argv;
}
