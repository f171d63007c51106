/** Which of the user's machines reach each other: those can be one Ray cluster. */
import type { FarShell } from '../../access/tunnel/far-shell.ts';
import type { FarFacts } from '../../machines/far/facts.ts';
import { runWith } from '../../machines/far/far-programs.ts';
import { REACH } from '../../machines/far/program-texts.ts';

export type ReachedAt = NonNullable<FarFacts['reachedAt']>;

const placeOf = ({ address, port }: ReachedAt): string => `${address}/${port.toString()}`;

/** Asks one machine which of these places answer it. Those that do not are not said. */
export async function reachesFrom(
  shell: FarShell,
  places: readonly ReachedAt[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { lines } = await runWith(shell, REACH, { PLACES: places.map(placeOf).join(' ') }, signal);
  return new Set(lines.flatMap(line => /^::reaches (\S+)$/.exec(line)?.[1] ?? []));
}

export interface Standing {
  readonly name: string;
  /** Names this machine, whatever name it is reached by. */
  readonly machine: string;
  readonly at: ReachedAt | null;
  /** The places that answered it. */
  readonly reaches: ReadonlySet<string>;
}

/**
 * The names of those that all reach each other, and themselves, both ways: the most that do, beginning with the first.
 * Fewer than two are none.
 */
export function reachEachOther(standing: readonly Standing[]): ReadonlySet<string> {
  const meets = (one: Standing, other: Standing): boolean =>
    one.at !== null &&
    other.at !== null &&
    // Of two machines with the same address, as containers of two computers have it, each finds itself there.
    (placeOf(one.at) !== placeOf(other.at) || one.machine === other.machine) &&
    one.reaches.has(placeOf(other.at)) &&
    other.reaches.has(placeOf(one.at));
  const groups = standing.map(first =>
    standing.reduce<readonly Standing[]>(
      (group, next) =>
        next !== first && [...group, next].every(each => meets(each, next)) ? [...group, next] : group,
      meets(first, first) ? [first] : [],
    ),
  );
  const most = groups.toSorted((one, other) => other.length - one.length)[0] ?? [];
  return new Set(most.length < 2 ? [] : most.map(({ name }) => name));
}
