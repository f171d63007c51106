/** Two jobs beside each other: what they were given, what they logged, what became of them, on which machine, with which packages. */
import type { LockedEnvironment } from './environments.ts';
import type { Attempt } from './clusters.ts';
import type { MetricSeries } from './metrics/wire.ts';
import { causeWords, jobRanMs } from './job-words.ts';
import type { Job, JobSpec } from './jobs.ts';
import * as format from './format.ts';

export type Metric = Pick<MetricSeries, 'name' | 'last' | 'min' | 'max' | 'count'>;

/** All that is known of one of them. */
export interface ComparedJob {
  readonly job: Job;
  /** The purchase whose machine ran it; null: not known any more. */
  readonly attempt: Pick<Attempt, 'offerTitle' | 'pricePerHourMicroUsd'> | null;
  /** Null: Hitch's own packages, or not known. */
  readonly lock: LockedEnvironment | null;
  /** Of its last run. */
  readonly metrics: readonly Metric[];
}

/** One line; '' where the job has nothing of that name. */
export interface ComparedRow {
  readonly name: string;
  readonly a: string;
  readonly b: string;
}

export interface JobComparison {
  /** Arguments, variables and settings. */
  readonly parameters: readonly ComparedRow[];
  /** The last value of each figure that either has, and its bounds. */
  readonly metrics: readonly ComparedRow[];
  /** How each ended, how long it took and what it cost. */
  readonly results: readonly ComparedRow[];
  readonly machine: readonly ComparedRow[];
  readonly packages: readonly ComparedRow[];
}

export const differs = ({ a, b }: ComparedRow): boolean => a !== b;

/** Variables whose values are nobody's to read in a table. */
const SECRET = /TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API[-_]?KEY|ACCESS[-_]?KEY|PRIVATE[-_]?KEY/i;
const HIDDEN = '(not shown)';

export function compareJobs(one: ComparedJob, other: ComparedJob, nowMs: number): JobComparison {
  return {
    parameters: parameterRows(one.job.spec, other.job.spec),
    metrics: rowsOf(figuresOf(one.metrics), figuresOf(other.metrics)),
    results: rowsOf(resultsOf(one, nowMs), resultsOf(other, nowMs)),
    machine: rowsOf(machineOf(one), machineOf(other)),
    packages: rowsOf(packagesOf(one.lock), packagesOf(other.lock)),
  };
}

type Named = readonly (readonly [string, string])[];

/** In the order of the first, then what the second alone has. */
function rowsOf(one: Named, other: Named): ComparedRow[] {
  const [a, b] = [new Map(one), new Map(other)];
  return [...new Set([...a.keys(), ...b.keys()])].map(name => ({
    name,
    a: a.get(name) ?? '',
    b: b.get(name) ?? '',
  }));
}

function parameterRows(one: JobSpec, other: JobSpec): ComparedRow[] {
  return rowsOf(parametersOf(one), parametersOf(other)).map(row => {
    if (!SECRET.test(row.name)) {
      return row;
    }
    // That they differ is to be seen, and not what they are.
    const shown = (value: string, which: string): string => (value === '' ? '' : `${HIDDEN}${which}`);
    const [first, second] = differs(row) ? [' 1', ' 2'] : ['', ''];
    return { name: row.name, a: shown(row.a, first), b: shown(row.b, second) };
  });
}

/** As {@link parametersOf}, with the values that are nobody's to read left out. */
export const shownParameters = (spec: JobSpec): Named =>
  parametersOf(spec).map(([name, value]) => [name, SECRET.test(name) ? HIDDEN : value] as const);

const SECTIONS: readonly (readonly [keyof JobComparison, string])[] = [
  ['parameters', 'Parameters'],
  ['metrics', 'Figures, last (lowest to highest)'],
  ['results', 'Results'],
  ['machine', 'Machine'],
  ['packages', 'Packages'],
];

/**
 * The tables of a comparison by their titles, none of them empty. Parameters and packages that are the same are left out
 * unless all is wanted; figures, results and the machine always stand there.
 */
export function comparedSections(
  comparison: JobComparison,
  all: boolean,
): readonly (readonly [string, readonly ComparedRow[]])[] {
  return SECTIONS.flatMap(([key, title]) => {
    const onlyDifferent = !all && (key === 'parameters' || key === 'packages');
    const rows = comparison[key].filter(
      row => (!onlyDifferent || differs(row)) && (row.a !== '' || row.b !== ''),
    );
    return rows.length === 0 ? [] : [[title, rows] as const];
  });
}

/** What a job was given, by name: `--lr 0.1`, `--lr=0.1` and `lr=0.1` are the same parameter. */
export function parametersOf(spec: JobSpec): Named {
  const { work, variables, retries, timeLimitMs, memoryBytes } = spec;
  const settings: [string, string][] = [
    ...(retries === 0 ? [] : [['retries', retries.toString()] as [string, string]]),
    ...(timeLimitMs === null ? [] : [['time limit', format.duration(timeLimitMs)] as [string, string]]),
    ...(memoryBytes === null ? [] : [['memory limit', format.bytes(memoryBytes)] as [string, string]]),
  ];
  const given: Named =
    work.kind === 'nodes'
      ? [
          ...argumentsOf(work.torchrun ? ['torchrun', ...work.command] : work.command),
          ['nodes', work.nodes.toString()],
          ...(work.processes === null ? [] : [['processes a node', work.processes.toString()] as const]),
        ]
      : work.kind === 'command'
        ? argumentsOf(work.command)
        : work.kind === 'script'
          ? [['script', work.script]]
          : [
              ['notebook', work.path],
              ...(work.cells === null
                ? []
                : [
                    [
                      'cells',
                      `${(work.cells.first + 1).toString()}–${(work.cells.last + 1).toString()}`,
                    ] as const,
                  ]),
            ];
  return [
    ...given,
    ...Object.entries(variables).map(([name, value]) => [`$${name}`, value] as const),
    ...settings,
  ];
}

const OPTION = /^-{1,2}([A-Za-z][\w.-]*)(?:=([^]*))?$/;
const ASSIGNED = /^\+{0,2}([A-Za-z_][\w./@-]*)=([^]*)$/;
const isNumber = (word: string): boolean => /^-[\d.]/.test(word);

function argumentsOf(words: readonly string[]): Named {
  const named = new Map<string, string>();
  const others: string[] = [];
  const put = (name: string, value: string): void => {
    const known = named.get(name);
    named.set(name, known === undefined ? value : `${known} ${value}`);
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const [, option, value] = OPTION.exec(word) ?? [];
    const [, name, assigned] = ASSIGNED.exec(word) ?? [];
    if (option !== undefined && at > 0) {
      const next = words[at + 1];
      const takesNext =
        value === undefined &&
        next !== undefined &&
        (!next.startsWith('-') || isNumber(next)) &&
        !isProgram(next);
      put(option, value ?? (takesNext ? next : 'yes'));
      at += takesNext ? 1 : 0;
    } else if (name !== undefined && assigned !== undefined && at > 0) {
      put(name, assigned);
    } else {
      others.push(word);
    }
  }
  return [['command', others.join(' ')], ...named];
}

/** `torchrun --standalone train.py`: the file is no value of the option before it. */
const isProgram = (word: string): boolean => /\.(?:py|sh|ipynb)$/i.test(word);

const number = (value: number | null): string =>
  value === null ? 'NaN' : Number(value.toPrecision(6)).toString();

function figuresOf(metrics: readonly Metric[]): Named {
  return metrics.map(({ name, last, min, max, count }) => [
    name,
    count === 1 ? number(last) : `${number(last)} (${number(min)} to ${number(max)})`,
  ]);
}

/** `failed: exit code 3`; what the state says already is not said again. */
function stateOf({ state, runs }: Job): string {
  const last = runs.at(-1);
  const cause =
    last === undefined || last.cause === 'finished' || last.cause === 'stopped' ? '' : causeWords(last);
  return cause === '' ? state : `${state}: ${cause}`;
}

function resultsOf({ job }: ComparedJob, nowMs: number): Named {
  const peak = Math.max(...job.runs.map(({ peakBytes }) => peakBytes ?? 0), 0);
  return [
    ['state', stateOf(job)],
    ['time', format.elapsed(jobRanMs(job, nowMs))],
    ['cost', job.costMicroUsd === null ? '' : format.dollars(job.costMicroUsd)],
    ['runs', job.runs.length.toString()],
    ['most memory', peak === 0 ? '' : format.bytes(peak)],
  ];
}

function machineOf({ job, attempt, lock }: ComparedJob): Named {
  return [
    ['cluster', job.clusterName],
    ['offer', attempt?.offerTitle ?? ''],
    ['price', attempt === null ? '' : `${format.dollars(attempt.pricePerHourMicroUsd)}/h`],
    [
      'environment',
      lock === null ? 'Hitch’s own packages' : `${lock.file}, Python ${lock.python} (${lock.id})`,
    ],
  ];
}

const packagesOf = (lock: LockedEnvironment | null): Named =>
  (lock?.packages ?? []).map(({ name, version }) => [name, version]);
