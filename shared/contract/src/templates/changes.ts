/** What another version of a template means: each change in a sentence, with those that allow more marked. */
import * as z from 'zod';
import type { Locks } from './lock.ts';
import { amountMicroUsd, type Template, timeMs } from './schema.ts';

export const templateChangeSchema = z.object({
  /** Under which heading: `Limits`, `Machines`, `Runs`. */
  part: z.string(),
  /** Such as `limits.total is $20; it was $12`. */
  words: z.string(),
  /** It allows more than before: more money, more time, a larger machine, another secret. */
  rises: z.boolean(),
});
export type TemplateChange = z.infer<typeof templateChangeSchema>;

export interface TemplateMeaning {
  readonly template: Template;
  readonly locks: Locks;
  /** By path, their SHA-256. */
  readonly files: ReadonlyMap<string, string>;
}

export function templateChanges(before: TemplateMeaning, after: TemplateMeaning): readonly TemplateChange[] {
  return [
    ...limits(before.template, after.template),
    ...machines(before.template, after.template),
    ...secrets(before.template, after.template),
    ...named('Parameters', before.template.parameters, after.template.parameters),
    ...named('Presets', before.template.presets, after.template.presets),
    ...single('Runs', 'prepare', before.template.prepare, after.template.prepare),
    ...single('Runs', 'run', before.template.run, after.template.run),
    ...single('Runs', 'notebook', before.template.notebook, after.template.notebook),
    ...named('Outputs', before.template.outputs, after.template.outputs),
    ...single('Outputs', 'checkpoints', before.template.checkpoints, after.template.checkpoints),
    ...single('Runs', 'retry', before.template.retry, after.template.retry),
    ...single('Packages', 'python', before.template.environment?.python, after.template.environment?.python),
    ...packages(before.locks, after.locks),
    ...files(before.files, after.files),
  ];
}

const change = (part: string, words: string, rises = false): TemplateChange => ({ part, words, rises });

const LONGEST_SHOWN = 120;

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** A limit that is taken away rises too: then a person's own is all that holds. */
function limits(before: Template, after: Template): readonly TemplateChange[] {
  return (['perHour', 'total', 'time', 'idle'] as const).flatMap(name => {
    const [was, is] = [before.limits?.[name], after.limits?.[name]];
    if (was === is) {
      return [];
    }
    const worth = (text: string | undefined): bigint | number | undefined =>
      name === 'perHour' || name === 'total' ? amountMicroUsd(text) : timeMs(text);
    const [from, to] = [worth(was), worth(is)];
    const rises = from !== undefined && (to === undefined || to > from);
    return [
      change(
        'Limits',
        is === undefined
          ? `limits.${name} is gone; it was ${was ?? ''}`
          : was === undefined
            ? `limits.${name} is ${is}; there was none`
            : `limits.${name} is ${is}; it was ${was}`,
        rises,
      ),
    ];
  });
}

const SIZES = ['cpus', 'memoryGiB', 'diskGiB'] as const;

function machines(before: Template, after: Template): readonly TemplateChange[] {
  const changes: TemplateChange[] = [];
  if (!same(before.cluster, after.cluster)) {
    const most = ({ cluster: { nodes } }: Template): number =>
      typeof nodes === 'number' ? nodes : nodes.max;
    changes.push(
      change(
        'Machines',
        `cluster is ${shown(after.cluster)}; it was ${shown(before.cluster)}`,
        most(after) > most(before),
      ),
    );
  }
  if (!same(before.resources, after.resources)) {
    const [was, is] = [before.resources[0], after.resources[0]];
    const size = (machine: typeof was): readonly number[] => [
      machine?.gpu?.count ?? 0,
      machine?.gpu?.vramGiB ?? 0,
      ...SIZES.map(name => machine?.[name] ?? 0),
    ];
    const least = size(was);
    changes.push(
      change(
        'Machines',
        `resources are ${shown(after.resources)}; they were ${shown(before.resources)}`,
        size(is).some((each, at) => each > (least[at] ?? 0)),
      ),
    );
  }
  return changes;
}

/** Another secret goes to every machine that it runs on. */
function secrets(before: Template, after: Template): readonly TemplateChange[] {
  return named('Secrets', before.secrets, after.secrets).map(each => ({
    ...each,
    rises: each.words.includes(' is new') || /"required":true.*; it was/.test(each.words),
  }));
}

function named(
  part: string,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly TemplateChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap(name => single(part, name, before[name], after[name]));
}

function single(part: string, name: string, was: unknown, is: unknown): readonly TemplateChange[] {
  if (same(was, is)) {
    return [];
  }
  if (was === undefined) {
    return [change(part, `${name} is new: ${shown(is)}`)];
  }
  return [
    change(part, is === undefined ? `${name} is gone` : `${name} is ${shown(is)}; it was ${shown(was)}`),
  ];
}

/** Of more, how many there are is said. */
const MOST_NAMED = 20;

function packages(before: Locks, after: Locks): readonly TemplateChange[] {
  const accelerators = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof Locks)[]);
  return [...accelerators].flatMap(accelerator => {
    const versions = (locks: Locks): Map<string, string> =>
      new Map((locks[accelerator]?.packages ?? []).map(({ name, version }) => [name, version]));
    const [was, is] = [versions(before), versions(after)];
    const changed = [...new Set([...was.keys(), ...is.keys()])]
      .filter(name => was.get(name) !== is.get(name))
      .sort()
      .map(name => `${name} ${was.get(name) ?? '(new)'} → ${is.get(name) ?? '(gone)'}`);
    return changed.length === 0 ? [] : [change('Packages', `${accelerator}: ${someOf(changed)}`)];
  });
}

function files(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly TemplateChange[] {
  const of = (words: string, names: readonly string[]): readonly TemplateChange[] =>
    names.length === 0 ? [] : [change('Files', `${words}: ${someOf([...names].sort())}`)];
  return [
    ...of(
      'new',
      [...after.keys()].filter(path => !before.has(path)),
    ),
    ...of(
      'gone',
      [...before.keys()].filter(path => !after.has(path)),
    ),
    ...of(
      'changed',
      [...after]
        .filter(([path, hash]) => before.has(path) && before.get(path) !== hash)
        .map(([path]) => path),
    ),
  ];
}

const someOf = (names: readonly string[]): string =>
  names.length <= MOST_NAMED
    ? names.join(', ')
    : `${names.slice(0, MOST_NAMED).join(', ')} and ${(names.length - MOST_NAMED).toString()} more`;

/** A removed or retyped parameter, output or secret breaks who uses it: then the first number has to be another. */
export function breakingWords(before: Template, after: Template): readonly string[] {
  const kinds = {
    parameter: [before.parameters, after.parameters],
    output: [before.outputs, after.outputs],
    secret: [before.secrets, after.secrets],
  } as const;
  return Object.entries(kinds).flatMap(([kind, [was, is]]) =>
    Object.entries(was).flatMap(([name, old]: [string, object]) => {
      const now: object | undefined = is[name];
      if (now === undefined) {
        return [`the ${kind} “${name}” is gone`];
      }
      return 'type' in old && 'type' in now && old.type !== now.type
        ? [`the parameter “${name}” is ${String(now.type)} and was ${String(old.type)}`]
        : [];
    }),
  );
}
