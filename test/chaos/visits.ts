/** What runs met: where daemons died, what went wrong around them, and what Hitch did that only this brings about. */

import { SOURCES } from './sources.ts';

/** How often, by name. */
export type Counts = Record<string, number>;

/** Calls whose death lies between an intent that is stored and the record that says what became of it. */
const BETWEEN = [
  'commit (intended)',
  'create',
  'commit (owned)',
  'commit (quarantined)',
  'commit (refused)',
  'list while a purchase is unclear',
  'get while a purchase is unclear',
  'history',
  'advance',
] as const;

/** Deaths that a long enough series of runs must have had, or it proved nothing. */
export const REQUIRED_DEATHS: readonly string[] = [
  ...BETWEEN.flatMap(call => [`before ${call}`, `during ${call}`, `after ${call}`]),
  'after the failure of commit (intended)',
  'after the failure of create',
  'after the failure of commit (owned)',
  'after the failure of list while a purchase is unclear',
];

/** What Hitch must have done. */
export const RECLAIMS_GONE = 'the sweep takes back a machine that was called gone';
export const RECLAIMS_REFUSED = 'the sweep takes back a machine whose purchase was refused';
export const RECLAIMS_REMOVED = 'the sweep takes back a machine of a cluster that was removed';
/** What must have befallen it in many runs: else the purchase log was never needed for one. */
export const LOSES_RECLAIMED = 'the store is lost while a machine that was taken back still bills';
export const BEGINS_LATER = 'a part of a price begins after another';
export const TRIES_ANOTHER = 'it says warning: not_up';
export const RECLAIMS_BY_REF = 'the sweep takes back a machine of which only the ref is left';
const REQUIRED_DEEDS: readonly string[] = [
  RECLAIMS_GONE,
  RECLAIMS_REFUSED,
  RECLAIMS_REMOVED,
  RECLAIMS_BY_REF,
  BEGINS_LATER,
  TRIES_ANOTHER,
];

/** In fewer runs than this some of it is a matter of luck, and its absence no failure. */
export const ENOUGH_RUNS = 400;
/** The same for {@link LOSES_RECLAIMED}, which takes three things at once. */
export const MANY_RUNS = 1_000;
/** The same for each request of each network: some are rare, and a run has few purchases at one of several. */
export const NIGHT_RUNS = 10_000;

export class Visits {
  /** What daemons called and waited for: each is three or four places to die at. */
  readonly calls: Counts = {};
  /** Where daemons died. */
  readonly deaths: Counts = {};
  /** What went wrong around them, by its name in {@link file://./sources.ts}. */
  readonly faults: Counts = {};
  /** What Hitch did about it. */
  readonly deeds: Counts = {};

  call(name: string): void {
    count(this.calls, name);
  }

  died(where: string): void {
    count(this.deaths, where);
  }

  /** @throws Error for one that is not said to stand for anything. */
  fault(name: string): void {
    if (SOURCES[name] === undefined) {
      throw new Error(`The fault "${name}" stands for nothing: say in sources.ts what it is modelled on.`);
    }
    count(this.faults, name);
  }

  deed(name: string): void {
    count(this.deeds, name);
  }

  add(other: Visits): void {
    for (const kind of ['calls', 'deaths', 'faults', 'deeds'] as const) {
      for (const [name, times] of Object.entries(other[kind])) {
        count(this[kind], name, times);
      }
    }
  }

  /** What never was in so many runs though it must have been; of too few nothing can be said. */
  missing(runs: number, betweenRequests: readonly string[]): readonly string[] {
    if (runs < ENOUGH_RUNS) {
      return [];
    }
    const deaths = runs < NIGHT_RUNS ? REQUIRED_DEATHS : [...REQUIRED_DEATHS, ...betweenRequests];
    const deeds = runs < MANY_RUNS ? REQUIRED_DEEDS : [...REQUIRED_DEEDS, LOSES_RECLAIMED];
    return [
      ...deaths.filter(where => this.deaths[where] === undefined).map(where => `No daemon died ${where}.`),
      ...deeds.filter(deed => this.deeds[deed] === undefined).map(deed => `It never was that ${deed}.`),
      ...Object.keys(SOURCES)
        .filter(name => this.faults[name] === undefined)
        .map(name => `It never met: ${name}.`),
    ];
  }

  /** A line for each, the most frequent first. */
  lines(): readonly string[] {
    return [
      ...table('Calls that daemons waited for', this.calls),
      ...table('Deaths', this.deaths),
      ...table('What went wrong', this.faults, name => `${name} (${SOURCES[name] ?? ''})`),
      ...table('What Hitch did', this.deeds),
    ];
  }
}

function count(counts: Counts, name: string, times = 1): void {
  counts[name] = (counts[name] ?? 0) + times;
}

function table(
  title: string,
  counts: Counts,
  shown: (name: string) => string = name => name,
): readonly string[] {
  const rows = Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return [`${title}:`, ...rows.map(([name, times]) => `${times.toString().padStart(8)}  ${shown(name)}`)];
}
