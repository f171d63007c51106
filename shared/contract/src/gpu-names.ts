/**
 * GPU models as people write them: `4090`, `RTX4090` and `NVIDIA GeForce RTX 4090` are one, `H100` is any H100, and
 * `RTX 4070` is no `RTX 4070 Ti`. Networks write them in as many ways.
 */

/** Says who made it, or that it is a GPU; nobody means anything by it. */
const FILLERS = new Set([
  'nvidia',
  'geforce',
  'tesla',
  'quadro',
  'amd',
  'radeon',
  'instinct',
  'gpu',
  'generation',
]);
/** After a model's number, these make another model of it. What else may follow is its form or its memory. */
const VARIANTS = new Set([
  'ti',
  'super',
  'd',
  's',
  'ada',
  'laptop',
  'mobile',
  'max',
  'ultra',
  'xt',
  'xtx',
  'gre',
]);

const tokensOf = (name: string): readonly string[] =>
  name
    .toLowerCase()
    .replaceAll(/(rtx|gtx|geforce|tesla|quadro|instinct|radeon|rx)(?=[a-z]?\d)/g, '$1 ')
    .replaceAll(/(\d{4})(ti|super|xtx|xt|gre|s|d)(?![a-z0-9])/g, '$1 $2')
    .replaceAll(/(\d+)\s*(?:gib|gb|g)(?![a-z0-9])/g, '$1gb')
    .split(/[^a-z0-9]+/)
    .filter(token => token !== '' && !FILLERS.has(token));

/** Its memory may stand anywhere in a name. */
function partsOf(name: string): { readonly words: readonly string[]; readonly memory: readonly string[] } {
  const tokens = tokensOf(name);
  const isMemory = (token: string): boolean => /^\d+gb$/.test(token);
  return { words: tokens.filter(token => !isMemory(token)), memory: tokens.filter(isMemory) };
}

/** @returns whether a network's model is what was asked for. Nothing is asked by an empty name, or one of fillers. */
export function gpuMatcher(wanted: string): (model: string) => boolean {
  const { words: asked, memory } = partsOf(wanted);
  return model => {
    const { words: have, memory: has } = partsOf(model);
    if (!memory.every(size => has.includes(size))) {
      return false;
    }
    return have.some((_, start) => {
      const next = have[start + asked.length] ?? '';
      return (
        asked.length > 0 &&
        asked.every((token, index) => have[start + index] === token) &&
        !VARIANTS.has(next)
      );
    });
  };
}

/** The words that are written most like one that is not among them; none where all are far. */
export function nearest(word: string, words: Iterable<string>, most = 3): readonly string[] {
  const plain = tokensOf(word).join('');
  const limit = Math.max(1, Math.floor(plain.length / 2));
  const all = [...new Set(words)].map(candidate => {
    const other = tokensOf(candidate).join('');
    const isPart = plain !== '' && other !== '' && (other.includes(plain) || plain.includes(other));
    const far = Math.min(distance(plain, other), distance(plain, other.slice(0, plain.length)));
    return { candidate, far: isPart ? 0 : far };
  });
  const best = Math.min(...all.map(({ far }) => far));
  return all
    .filter(({ far }) => far === best && far <= limit)
    .map(({ candidate }) => candidate)
    .sort()
    .slice(0, most);
}

/** How many letters are to be put in, taken out, changed, or swapped with their neighbour (optimal string alignment). */
export function distance(one: string, other: string): number {
  let twoBefore: readonly number[] = [];
  let before: readonly number[] = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const now = [row];
    for (let column = 1; column <= other.length; column++) {
      const changed = (before[column - 1] ?? 0) + (other[column - 1] === one[row - 1] ? 0 : 1);
      const isSwap = column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const swapped = isSwap ? (twoBefore[column - 2] ?? 0) + 1 : changed;
      now.push(Math.min(changed, swapped, (before[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1));
    }
    twoBefore = before;
    before = now;
  }
  return before[other.length] ?? 0;
}
