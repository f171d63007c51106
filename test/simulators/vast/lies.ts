/**
 * What the network does against what it says, drawn by a seed. What goes wrong with one request (lost answers, pages of a
 * hotel, 429 and the like) are rules of `../frame/faults.ts`; these are of the network itself, and last.
 */
import type { Random } from '@hitch/platform/src/random.ts';

/**
 * Of a search:
 * - `ignore-filters`: it answers what was not asked for too (gpuhunt, `providers/vastai.py`, `satisfies_filters`)
 *
 * Of a purchase:
 * - `vanish-offer`: somebody else was faster: 410 `no_such_ask` (`create_instance.yaml`)
 * - `error-with-contract`: 400, and a contract that stands stopped and bills its disk (dstack, pull request 4036,
 *   `backends/vastai/compute.py`, `run_job`)
 * - `never-runs`: it stays `created` with "OCI runtime create failed" (dstack, `backends/vastai/compute.py`,
 *   `update_provisioning_data`)
 * - `slow-boot`: so much longer until it runs · `status`: a word for running that nobody knows
 * - `dearer`: it costs so many percent more than its offer said · `other-machine`: a GPU less than was offered, or another
 * - `no-label`: its own page lacks the label, the list has it · `hidden`: neither shows it for so long
 * - `slow-destroy`: it is there, and bills, for so long after it was asked to end · `destroy-fails`: so often 500 first
 *
 * Later, so long after the purchase:
 * - `outbid`: a bid machine stops, `cur_state`, `intended_status` and `next_state` are "stopped" (dstack, pull request 4036)
 * - `restart`: its container starts again, with other ports outside · `offline`: its host is away, and its disk not billed
 * - `host-ends`: the host takes it back; it is gone
 * - `key-lost-after`: keys that were attached by then open it no more, though they are listed. Assumed: seen was only
 *   that those of a start-up are lost (SkyPilot, pull request 10730)
 *
 * Of a list:
 * - `page-shift`: a row moves to the page before while it is read, and is on neither
 */
interface LieDetails {
  readonly 'ignore-filters': object;
  readonly 'vanish-offer': object;
  readonly 'error-with-contract': object;
  readonly 'never-runs': object;
  readonly 'other-machine': object;
  readonly 'no-label': object;
  readonly 'page-shift': object;
  readonly 'slow-boot': { readonly ms: number };
  readonly hidden: { readonly ms: number };
  readonly 'slow-destroy': { readonly ms: number };
  readonly outbid: { readonly afterMs: number };
  readonly restart: { readonly afterMs: number };
  readonly offline: { readonly afterMs: number };
  readonly 'host-ends': { readonly afterMs: number };
  readonly 'key-lost-after': { readonly afterMs: number };
  readonly status: { readonly word: string };
  readonly dearer: { readonly percent: number };
  readonly 'destroy-fails': { readonly tries: number };
}

export type LieKind = keyof LieDetails;
export type LieOf<Kind extends LieKind> = { readonly does: Kind } & LieDetails[Kind];
export type VastLie = { [Kind in LieKind]: LieOf<Kind> }[LieKind];

export interface LieRule {
  readonly lie: VastLie;
  /** Share of the occasions, 0 … 1; left out: each. */
  readonly chance?: number;
  /** How often at most; left out: always. */
  readonly times?: number;
}

export class Lies {
  readonly #rules: { readonly rule: LieRule; told: number }[];
  readonly #random: Random;

  constructor(rules: readonly LieRule[], random: Random) {
    this.#rules = rules.map(rule => ({ rule, told: 0 }));
    this.#random = random;
  }

  add(rule: LieRule): void {
    this.#rules.push({ rule, told: 0 });
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** Whether it lies so at this occasion. */
  tell<Kind extends LieKind>(kind: Kind): LieOf<Kind> | null {
    for (const counted of this.#rules) {
      const { lie, chance = 1, times = Infinity } = counted.rule;
      if (isOf(lie, kind) && counted.told < times && (chance === 1 || this.#random.next() < chance)) {
        counted.told += 1;
        return lie;
      }
    }
    return null;
  }
}

const isOf = <Kind extends LieKind>(lie: VastLie, kind: Kind): lie is VastLie & LieOf<Kind> =>
  lie.does === kind;
