/** What is said of environments, in the words that all clients use. */
import type { ClusterEnvironment, EnvironmentProblem, LockedEnvironment } from './environments.ts';
import { clock } from './format.ts';
import { shownName } from './shown/text.ts';

/** `requirements.lock:7  “transformers>=5” is no exact version…` */
export const problemLine = ({ file, line, message }: EnvironmentProblem): string =>
  `${shownName(file)}${line === null ? '' : `:${line.toString()}`}  ${message}`;

/** Packages that people look for first, in that order. */
const FIRST = [
  'torch',
  'transformers',
  'ray',
  'jax',
  'tensorflow',
  'lightning',
  'datasets',
  'numpy',
  'pandas',
];

/** `requirements.txt, Python 3.12, 127 packages (torch 2.15.0, ray 2.58.0)`. */
export function environmentWords({ file, python, packages, accelerator }: LockedEnvironment): string {
  const named = FIRST.flatMap(name => packages.filter(each => each.name === name)).slice(0, 3);
  const some = named.map(({ name, version }) => `${name} ${version}`).join(', ');
  const many = `${packages.length.toString()} ${packages.length === 1 ? 'package' : 'packages'}`;
  const cuda = accelerator.startsWith('cuda') ? `, CUDA ${accelerator.slice('cuda'.length)}` : '';
  return `${shownName(file)}, Python ${python}, ${many}${some === '' ? '' : ` (${some})`}${cuda}`;
}

/** What a person should know of a lock that was made, a sentence each. */
export const lockNotes = ({ added, leftOut }: LockedEnvironment): readonly string[] => [
  ...(added.length === 0 ? [] : [`Added for notebooks and the engine: ${added.join(', ')}.`]),
  ...leftOut,
];

export const environmentLine = (environment: LockedEnvironment): string =>
  `Environment: ${environmentWords(environment)}`;

/** What a cluster runs in: `requirements.txt, Python 3.12, 127 packages`, or Hitch's own. */
export const environmentFacts = ({ id, file, python, packages }: ClusterEnvironment): string =>
  id === null
    ? 'Hitch’s own packages'
    : `${shownName(file)}, Python ${python}, ${packages.toString()} ${packages === 1 ? 'package' : 'packages'}`;

/** What was added by hand, a line each: `einops 0.8.0, added 14:02 (node 2)`. */
export const addedLines = (
  { added }: Pick<ClusterEnvironment, 'added'>,
  nodes: number,
  nowMs: number,
): readonly string[] =>
  added.map(
    ({ name, version, atMs, node }) =>
      `${shownName(name)} ${shownName(version)}, added ${clock(atMs, nowMs)}${nodes > 1 ? ` (node ${(node + 1).toString()})` : ''}`,
  );

/** How far a change is, a line a machine that says something; of one machine without its number. */
export function changeLines(
  { change }: Pick<ClusterEnvironment, 'change'>,
  nodes: number,
): readonly string[] {
  if (change === null) {
    return [];
  }
  if (change.nodes.length === 0) {
    return change.message === '' ? [] : [change.message];
  }
  return change.nodes.map(({ node, message }) =>
    nodes > 1 ? `Node ${(node + 1).toString()}: ${message}` : message,
  );
}

/** What a change of its environment does to what runs on a cluster, a sentence each, for the question before it. */
export const changeQuestion = ({ engine }: { readonly engine: string }): readonly string[] => [
  'Kernels that run keep the old one until they are restarted.',
  ...(engine === 'ray' ? ['Ray starts again: what runs in it ends.'] : []),
  'Where a machine cannot have it, all of them keep what they have.',
];

/** A cluster's environment in its row; null: there is nothing to say. */
export function environmentState({ change, problem, oldKernels }: ClusterEnvironment): string | null {
  if (change !== null) {
    return `Changing the environment to ${shownName(change.file)}${change.message === '' ? '' : `: ${change.message}`}`;
  }
  if (problem !== null) {
    return problem;
  }
  const kernels = oldKernels.length;
  return kernels === 0
    ? null
    : `${kernels.toString()} ${kernels === 1 ? 'kernel keeps' : 'kernels keep'} the earlier environment until restarted`;
}

/** Files that an environment can be made from, the most exact first. */
const USUAL = [
  'requirements.lock',
  'requirements.txt',
  'pyproject.toml',
  'environment.yml',
  'environment.yaml',
];

/** Those among the names of a folder, the most exact first. */
export const environmentFiles = (names: readonly string[]): readonly string[] =>
  USUAL.filter(name => names.includes(name));

/** Whether a program or a notebook's first cell says which packages it needs (PEP 723). */
export const namesPackages = (text: string): boolean => /^# \/\/\/ script\s*$/m.test(text);
