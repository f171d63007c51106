/** Akash writes GPUs as `rtx4090` and `a100`; everywhere else they are `RTX 4090` and `A100`. */

/** What stands for itself: each is taken off the front of what is left, with its own way to be written. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(?:quadro)/, 'Quadro'],
  [/^(?:tesla)/, 'Tesla'],
  [/^(?:titan)/, 'Titan'],
  [/^(?:rtx)/, 'RTX'],
  [/^(?:gtx)/, 'GTX'],
  [/^(?:super)/, 'Super'],
  [/^(?:pro)/, 'Pro'],
  [/^(?:ada)/, 'Ada'],
  [/^(?:ti)/, 'Ti'],
];

/** A number with the letters before it and one after it, such as `a6000` and `l40s`. */
const NUMBER = /^[a-z]*[0-9]+(?:[a-z](?![a-z]))?/;

/** Such as `RTX 4090`, `GTX 1070 Ti`, `RTX A6000`, `H100`. */
export function gpuNameOf(model: string): string {
  const words: string[] = [];
  let rest = model.toLowerCase().replaceAll(/[\s_-]+/g, '');
  while (rest !== '') {
    const known = WORDS.find(([start]) => start.test(rest));
    const length = (known?.[0] ?? NUMBER).exec(rest)?.[0].length ?? rest.length;
    words.push(known?.[1] ?? rest.slice(0, length).toUpperCase());
    rest = rest.slice(length);
  }
  return words.join(' ');
}
