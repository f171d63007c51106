/** Says that memory is about to run out, of the node or of a GPU, and who has most of it: once, until there is room again. */
import type { MemoryWarning } from '@hitch/contract';
import { shareOf, useOfText, useText, ownerWords } from '@hitch/contract/src/use/words.ts';
import type { UseKind, UseName } from '@hitch/contract/src/use/wire.ts';
import type { UseSample } from './use-log.ts';

interface Bounds {
  /** From here on it is said. */
  readonly full: number;
  /** Below, it may be said again. */
  readonly roomy: number;
}

/** The last of a node's memory goes within seconds, and then the kernel chooses a process. */
const OF_NODE: Bounds = { full: 0.92, roomy: 0.85 };
/** Training that fits fills a GPU, and servers of models take nine tenths by intent; what fails is the allocation after that. */
const OF_GPU: Bounds = { full: 0.97, roomy: 0.92 };

export class MemoryWatch {
  readonly #warn: (warning: MemoryWarning) => void;
  readonly #full = new Set<string>();

  constructor(warn: (warning: MemoryWarning) => void) {
    this.#warn = warn;
  }

  look(sample: UseSample): void {
    sample.names.forEach((name, at) => {
      const share = shareOf(name, sample.values[at] ?? null);
      const bounds =
        name.of === 'machine' && name.kind === 'memory'
          ? OF_NODE
          : name.of === 'gpu' && name.kind === 'vram'
            ? OF_GPU
            : null;
      if (share === null || bounds === null) {
        return;
      }
      const key = `${name.of} ${name.id}`;
      if (share < bounds.roomy) {
        this.#full.delete(key);
      } else if (share >= bounds.full && !this.#full.has(key)) {
        this.#full.add(key);
        this.#warn({ atMs: sample.atMs, sentence: sentenceOf(name, sample, at) });
      }
    });
  }
}

function sentenceOf(name: UseName, sample: UseSample, at: number): string {
  const what = name.of === 'gpu' ? `The memory of GPU ${name.id}` : 'The memory of this machine';
  const kind: UseKind = name.of === 'gpu' ? 'vram' : 'memory';
  const largest = largestOwner(sample, kind);
  const who = largest === null ? '' : ` ${largest} has most of it.`;
  return `${what} is nearly full: ${useOfText(name, sample.values[at] ?? null)}.${who}`;
}

/** `kernel train.ipynb (52.0 GB)`; null where no process is known to have any. */
function largestOwner({ names, values }: UseSample, kind: UseKind): string | null {
  let largest: { readonly name: UseName; readonly value: number } | null = null;
  for (const [at, name] of names.entries()) {
    const value = values[at] ?? null;
    const isOwner = name.of !== 'machine' && name.of !== 'gpu' && name.kind === kind;
    if (isOwner && value !== null && value > (largest?.value ?? 0)) {
      largest = { name, value };
    }
  }
  return largest === null ? null : `${ownerWords(largest.name)} (${useText(kind, largest.value)})`;
}
