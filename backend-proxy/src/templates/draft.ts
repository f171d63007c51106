/**
 * A template made of what a cluster is: its machine as a need, its limits, its packages, and what ran on it. It is a draft: what
 * cannot be known, such as the files of its program, is said in its comments and by its check.
 */
import { type Cluster, formatMicroUsd, type JobSpec, parseMicroUsd, shownName } from '@hitch/contract';
import { ACCELERATORS } from '@hitch/contract/src/templates/schema.ts';
import { stringify } from 'yaml';
import { SHIPPED } from './shipped-texts.ts';

export interface DraftOf {
  readonly name: string;
  readonly cluster: Cluster;
  /** How long it was rented for; null: without an end, or not known. */
  readonly lastsMs: number | null;
  readonly secrets: readonly string[];
  /** Models that were asked for; empty: any. */
  readonly gpuModels: readonly string[];
  /** What its environment was made from; null: Hitch's own packages. */
  readonly lock: { readonly text: string; readonly python: string; readonly accelerator: string } | null;
  /** Packages that people installed by hand, `name==version`. */
  readonly added: readonly string[];
  /** What ran on it last; null: no job did. */
  readonly job: { readonly name: string; readonly spec: JobSpec } | null;
}

const MIB = 1024;
/** What was used in one moment is less than what is needed at another. */
const MARGIN = 1.2;

/** By path, with `/`. */
export function draftFiles(of: DraftOf): ReadonlyMap<string, string> {
  const { cluster, lock, job } = of;
  const accelerator = ACCELERATORS.find(each => each === lock?.accelerator) ?? 'cpu';
  const lockFile = `requirements.${accelerator}.lock`;
  const notebook = SHIPPED['notebook']?.['start.ipynb'];
  const isNotebook = job === null || job.spec.work.kind === 'notebook';
  const body = {
    schema: 'hitch-template/1',
    name: of.name,
    version: '0.1.0',
    title: of.name,
    description: `Made of the cluster ${shownName(cluster.name)}.`,
    ...parametersOf(job?.spec),
    ...(lock === null ? {} : { environment: { python: lock.python, locks: { [accelerator]: lockFile } } }),
    cluster: {
      engine: cluster.engine === 'ray' ? 'ray' : 'single',
      nodes: Math.max(1, cluster.nodes.length),
    },
    resources: [machineOf(of)],
    limits: limitsOf(of),
    ...(of.secrets.length === 0
      ? {}
      : {
          secrets: Object.fromEntries(
            of.secrets.map(name => [
              name,
              { why: 'The cluster had it. Say what it is for.', required: true },
            ]),
          ),
        }),
    ...(job === null ? {} : runOf(job.spec)),
    ...outputsOf(of),
    ...(isNotebook ? { notebook: 'start.ipynb' } : {}),
  };
  const comments = notes(of).map(line => `# ${line}`);
  const text = `${comments.join('\n')}\n${stringify(body, { lineWidth: 0 })}`;
  return new Map([
    ['hitch.yaml', text],
    ...(lock === null ? [] : [[lockFile, lock.text] as const]),
    ...(isNotebook && notebook !== undefined ? [['start.ipynb', notebook] as const] : []),
  ]);
}

function notes({ cluster, job, added }: DraftOf): readonly string[] {
  const [head] = cluster.nodes;
  const rented = head?.attempts.at(-1);
  const line = (text: string): string => text.replaceAll(/\s+/g, ' ');
  return [
    `A draft, made of the cluster ${line(shownName(cluster.name))}. See what is missing with hitch template check.`,
    ...(rented === undefined
      ? []
      : [
          `It ran on ${line(shownName(`${rented.offerTitle} (${rented.offerId})`))}; what is needed stands below.`,
        ]),
    ...(head?.signals === null || head?.signals === undefined
      ? ['What it used could not be asked: its machine is not reached.']
      : [`Memory and disk are what was in use when this was written, and a fifth more.`]),
    ...(job === null
      ? ['No job ran on it: it opens a notebook.']
      : [`Its command is that of the job ${line(shownName(job.name))}. Put the files of its program here.`]),
    ...(added.length === 0
      ? []
      : [`Installed by hand, and not in its lock: ${line(shownName(added.join(', ')))}.`]),
  ];
}

function machineOf({ cluster, gpuModels }: DraftOf): Readonly<Record<string, unknown>> {
  const signals = cluster.nodes[0]?.signals ?? null;
  if (signals === null) {
    return {};
  }
  const memories = signals.gpus.flatMap(({ vramTotalMiB }) => vramTotalMiB ?? []);
  const need = (usedMiB: number): number => Math.max(1, Math.ceil((usedMiB * MARGIN) / MIB));
  return {
    ...(signals.gpus.length === 0
      ? {}
      : {
          gpu: {
            ...(gpuModels.length === 0 ? {} : { models: gpuModels }),
            count: signals.gpus.length,
            ...(memories.length === 0
              ? {}
              : { vramGiB: Math.max(1, Math.round(Math.min(...memories) / MIB)) }),
          },
        }),
    memoryGiB: need(signals.memoryUsedMiB),
    diskGiB: need(signals.diskUsedMiB),
  };
}

const HOUR_MS = 3_600_000;

function limitsOf({ cluster, lastsMs }: DraftOf): Readonly<Record<string, string>> {
  const { caps, usage } = cluster;
  const dollars = (amount: string, upTo = 1n): string => {
    const whole = ((parseMicroUsd(amount) + upTo - 1n) / upTo) * upTo;
    return `$${(Number(parseMicroUsd(formatMicroUsd(whole))) / 1e6).toString()}`;
  };
  const rate = parseMicroUsd(usage.ratePerHourMicroUsd);
  return {
    // Up to the next cent.
    ...(rate === 0n ? {} : { perHour: dollars(usage.ratePerHourMicroUsd, 10_000n) }),
    total: dollars(caps.totalMicroUsd),
    ...(lastsMs === null ? {} : { time: lengthOf(lastsMs) }),
    ...(caps.idleMs === null || caps.idleMs < 60_000 ? {} : { idle: lengthOf(caps.idleMs) }),
  };
}

const lengthOf = (ms: number): string =>
  ms % HOUR_MS === 0
    ? `${(ms / HOUR_MS).toString()}h`
    : `${Math.max(5, Math.round(ms / 60_000)).toString()}m`;

const VARIABLE = /^HITCH_PARAM_([A-Z][A-Z0-9_]{0,47})$/;

/** A job of a template had its values in its environment, where they are text. */
function parametersOf(spec: JobSpec | undefined): {
  readonly parameters?: Readonly<Record<string, unknown>>;
} {
  const found = Object.entries(spec?.variables ?? {}).flatMap(([name, value]) => {
    const [, upper] = VARIABLE.exec(name) ?? [];
    return upper === undefined ? [] : [[upper.toLowerCase(), parameterOf(value)] as const];
  });
  return found.length === 0 ? {} : { parameters: Object.fromEntries(found) };
}

function parameterOf(value: string): Readonly<Record<string, unknown>> {
  if (value === 'true' || value === 'false') {
    return { type: 'boolean', default: value === 'true' };
  }
  const number = value.trim() === '' ? Number.NaN : Number(value);
  return Number.isSafeInteger(number)
    ? { type: 'integer', default: number }
    : Number.isFinite(number)
      ? { type: 'number', default: number }
      : { type: 'text', default: value };
}

function runOf({ work, variables }: JobSpec): Readonly<Record<string, unknown>> {
  switch (work.kind) {
    case 'command':
      return { run: { command: withParameters(work.command, variables) } };
    case 'nodes':
      return {
        run: {
          command: withParameters([...(work.torchrun ? ['torchrun'] : []), ...work.command], variables),
        },
      };
    case 'script':
      return { run: { script: work.script } };
    case 'notebook':
      return {};
  }
}

/** A whole argument that is a parameter's value stands for it, where no other parameter has that value. */
function withParameters(
  command: readonly string[],
  variables: Readonly<Record<string, string>>,
): readonly string[] {
  const named = Object.entries(variables).flatMap(([name, value]) => {
    const [, upper] = VARIABLE.exec(name) ?? [];
    return upper === undefined ? [] : [[value, upper.toLowerCase()] as const];
  });
  return command.map((word, at) => {
    const fitting = named.filter(([value]) => value === word);
    const [only] = fitting;
    return at > 0 && only !== undefined && fitting.length === 1 ? `\${{ params.${only[1]} }}` : word;
  });
}

function outputsOf({ cluster, job }: DraftOf): { readonly outputs?: Readonly<Record<string, unknown>> } {
  const all = new Set([...cluster.save.paths, ...(job?.spec.outputs ?? [])]);
  const paths = [...all].filter(path => path !== '' && path !== '.');
  return paths.length === 0
    ? {}
    : {
        outputs: Object.fromEntries(
          paths.slice(0, 26).map((path, at) => [`output-${String.fromCodePoint(97 + at)}`, { path }]),
        ),
      };
}
