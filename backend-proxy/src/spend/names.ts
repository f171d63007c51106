/** Names for clusters nobody named: two short words, such as `brisk-otter`. */
import { pick, type Random, randomInt } from '@hitch/platform/src/random.ts';

const HOW =
  'amber bold brisk calm clear deft early fair fleet fresh glad keen light lucid mellow neat nimble quick quiet rapid ready sharp spry steady still sunny swift tidy vivid warm'.split(
    ' ',
  );
const WHAT =
  'badger beaver bison crane dingo egret falcon finch gecko heron ibex ibis jackal kestrel koala lemur lynx marten newt ocelot otter panda petrel quail raven robin sable stork tapir tern vole walrus wren yak zebra'.split(
    ' ',
  );

/** A name that is not taken; with a number once the plain ones run out. */
export function freshName(random: Random, taken: (name: string) => boolean): string {
  for (let tries = 0; ; tries++) {
    const words = `${pick(random, HOW)}-${pick(random, WHAT)}`;
    const name =
      tries < 8 ? words : `${words}-${randomInt(random, 2, 9 * 10 ** Math.min(8, tries - 6)).toString()}`;
    if (!taken(name)) {
      return name;
    }
  }
}
