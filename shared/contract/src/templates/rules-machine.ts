/** Machines, limits and files: what is asked for must be possible, and what is named must be there. */
import type { Findings, FolderFiles } from './findings.ts';
import { ACCELERATORS, amountMicroUsd, timeMs } from './schema.ts';
import { storageProblem, STORAGE } from './ray-storage.ts';
import { didYouMean, entriesAt, isGroup, listAt, numberAt, textAt, valueAt, type Path } from './values.ts';

export function sayCluster(findings: Findings, { usesRayTrain = false }: FolderFiles): void {
  const engine = textAt(findings.data, ['cluster', 'engine']);
  const nodes = valueAt(findings.data, ['cluster', 'nodes']);
  const [min, max] = [
    numberAt(findings.data, ['cluster', 'nodes', 'min']),
    numberAt(findings.data, ['cluster', 'nodes', 'max']),
  ];
  if (min !== undefined && max !== undefined && min > max) {
    findings.rule(
      [],
      ['cluster', 'nodes', 'min'],
      `The fewest nodes (${min}) are more than the most (${max}).`,
    );
  }
  const most = typeof nodes === 'number' ? nodes : (max ?? 1);
  if (engine === 'single' && most > 1) {
    findings.rule(
      [['cluster', 'nodes']],
      ['cluster', 'engine'],
      `The engine “single” is for one machine, and “cluster.nodes” is ${most}. Choose ray, torchrun or any.`,
    );
  }
  const storage = valueAt(findings.data, ['parameters', STORAGE, 'default']);
  const problem = usesRayTrain
    ? storageProblem({ nodes: typeof nodes === 'number' ? nodes : (min ?? 1), storage })
    : null;
  if (problem !== null) {
    findings.rule([['parameters']], ['cluster', 'nodes'], problem);
  }
}

/** Every list of machines in the file: its own, and that of each preset. */
const resourceLists = (findings: Findings): readonly Path[] => [
  ['resources'],
  ...entriesAt(findings.data, ['presets']).map(([preset]) => ['presets', preset, 'resources']),
];

export function sayResources(findings: Findings): void {
  const locks = ACCELERATORS.filter(accelerator => findings.has(['environment', 'locks', accelerator]));
  const knowsLocks = locks.length > 0 && findings.isSound(['environment', 'locks']);
  for (const list of resourceLists(findings)) {
    listAt(findings.data, list).forEach((resource, index) => {
      if (!isGroup(resource)) {
        return;
      }
      const path = [...list, index];
      const where = list.length === 1 ? `“resources[${index + 1}]”` : `The preset “${String(list[1])}”`;
      const gpu = isGroup(resource['gpu']);
      if (knowsLocks && gpu && locks.every(lock => lock === 'cpu')) {
        findings.rule(
          [['environment', 'locks']],
          path,
          `${where} asks for a GPU, but the only lock is for cpu, which would leave it unused.`,
        );
        // The lock is what is wrong: it is said once, not for each machine.
        findings.breaks(['environment', 'locks']);
      }
      if (knowsLocks && !gpu && findings.isSound([...path, 'gpu']) && !locks.includes('cpu')) {
        findings.rule(
          [['environment', 'locks']],
          path,
          `${where} has no GPU, and there is no lock for cpu: nothing could be installed there.`,
        );
        findings.breaks(['environment', 'locks']);
      }
      sayModels(findings, [...path, 'gpu'], where);
    });
  }
}

/** `A100 40GB` has 40 GB, whatever else is asked for. */
function sayModels(findings: Findings, gpu: Path, where: string): void {
  const wanted = numberAt(findings.data, [...gpu, 'vramGiB']);
  listAt(findings.data, [...gpu, 'models']).forEach((model, index) => {
    const [, own] = typeof model === 'string' ? (/(\d+)\s*(?:GB|GiB)\b/i.exec(model) ?? []) : [];
    if (own !== undefined && wanted !== undefined && Number(own) < wanted) {
      findings.rule(
        [[...gpu, 'vramGiB']],
        [...gpu, 'models', index],
        `${where} asks for ${wanted} GB of GPU memory, which no “${String(model)}” has.`,
      );
    }
  });
}

const LEAST = {
  time: { ms: 5 * 60_000, why: 'at least 5m: a machine takes minutes to come up' },
  idle: { ms: 60_000, why: 'at least 1m' },
} as const;

export function sayLimits(findings: Findings): void {
  for (const what of ['perHour', 'total']) {
    const amount = amountMicroUsd(valueAt(findings.data, ['limits', what]));
    if (amount === 0n) {
      findings.rule([], ['limits', what], `“limits.${what}” is $0, for which nothing can be rented.`);
    }
  }
  for (const what of ['time', 'idle'] as const) {
    const ms = timeMs(valueAt(findings.data, ['limits', what]));
    if (ms !== undefined && ms < LEAST[what].ms) {
      const written = textAt(findings.data, ['limits', what]) ?? '';
      findings.rule([], ['limits', what], `“limits.${what}” is ${written}; it must be ${LEAST[what].why}.`);
      findings.breaks(['limits', what]);
    }
  }
  const [time, idle] = [
    timeMs(valueAt(findings.data, ['limits', 'time'])),
    timeMs(valueAt(findings.data, ['limits', 'idle'])),
  ];
  if (time !== undefined && idle !== undefined && idle > time) {
    findings.rule(
      [['limits', 'time']],
      ['limits', 'idle'],
      `“limits.idle” is longer than “limits.time” and would never end anything.`,
    );
  }
}

/** Files that the template names, each with the place where it does. */
export function sayFiles(findings: Findings, { names }: FolderFiles): void {
  if (names === null) {
    return;
  }
  const named: readonly Path[] = [
    ['readme'],
    ['notebook'],
    ...ACCELERATORS.map(accelerator => ['environment', 'locks', accelerator]),
    ...entriesAt(findings.data, ['parameters'])
      .filter(([, parameter]) => isGroup(parameter) && parameter['type'] === 'upload')
      .map(([name]) => ['parameters', name, 'default']),
  ];
  for (const path of named) {
    const file = textAt(findings.data, path);
    if (file !== undefined && !names.has(file.replace(/^\.\//, ''))) {
      findings.rule(
        [],
        path,
        `The file “${file}” is not in the template’s folder.${didYouMean(file, [...names])}`,
      );
    }
  }
  const notebook = textAt(findings.data, ['notebook']);
  if (notebook !== undefined && !notebook.endsWith('.ipynb')) {
    findings.rule([], ['notebook'], `“${notebook}” is no notebook; its name ends with .ipynb.`);
  }
}

export function sayEnvironment(findings: Findings): void {
  const locks = valueAt(findings.data, ['environment', 'locks']);
  if (isGroup(locks) && Object.keys(locks).length === 0) {
    findings.rule(
      [],
      ['environment', 'locks'],
      `“environment.locks” names no lock; write them with hitch template lock, for: ${ACCELERATORS.join(', ')}.`,
    );
  }
}

const numbers = (version: string): readonly number[] => version.split(/[.-]/, 3).map(Number);

/** @returns whether one version of three numbers is at least another. */
export function isAtLeast(version: string, least: string): boolean {
  const [have, want] = [numbers(version), numbers(least)];
  for (const index of [0, 1, 2]) {
    const difference = (have[index] ?? 0) - (want[index] ?? 0);
    if (difference !== 0) {
      return difference > 0;
    }
  }
  return true;
}

export function sayHitch(findings: Findings, hitch: string | null): void {
  const wanted = textAt(findings.data, ['hitch']);
  const least = wanted === undefined ? undefined : /^>=(\d+\.\d+(?:\.\d+)?)$/.exec(wanted)?.[1];
  if (hitch !== null && least !== undefined && !isAtLeast(hitch, least)) {
    findings.rule(
      [],
      ['hitch'],
      `This template wants Hitch ${least} or newer; this is ${hitch}. Bring Hitch up to date.`,
    );
  }
}
