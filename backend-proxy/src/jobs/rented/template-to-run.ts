/** A template that is to run: its folder checked, its values judged, its packages locked. */
import {
  type EnvironmentRequest,
  HitchError,
  type LockResult,
  pythonVersionSchema,
  type QuoteRequest,
  templateProblemLine,
} from '@hitch/contract';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formProblem, formValues, templateForm } from '@hitch/contract/src/templates/form.ts';
import { STORAGE, storageProblem } from '@hitch/contract/src/templates/ray-storage.ts';
import type { Values } from '@hitch/contract/src/templates/render.ts';
import type { Accelerator, Template } from '@hitch/contract/src/templates/schema.ts';
import type { FolderFile } from '../../templates/folder.ts';
import { machineWords, rentWish } from '../../templates/template-words.ts';
import type { Templates } from '../../templates/templates.ts';
import { checkModels, type HubParts } from './hub-models.ts';

export interface TemplateToRun {
  readonly template: Template;
  readonly id: string;
  readonly folder: string;
  readonly digest: string;
  /** All that the digest covers. */
  readonly files: readonly FolderFile[];
  readonly preset: string | undefined;
  readonly values: Values;
  /** Its locks as environments of a cluster, the one that is tried first; null: Hitch's own packages. */
  readonly environments: readonly (string | null)[];
  /** The machine that it asks for, in words. */
  readonly wanted: string;
  /** How many nodes have to see its storage; null: it does not train with Ray Train. */
  readonly storageNodes: number | null;
  /** What could not be known of its models, a sentence each. */
  readonly notes: readonly string[];
}

export interface TemplateTools {
  readonly templates: Pick<Templates, 'toRun'>;
  readonly lock: (request: EnvironmentRequest) => Promise<LockResult>;
  readonly hub: HubParts;
  readonly ending: AbortSignal;
}

/** Networks whose machines are processes on this computer. */
const HERE = new Set(['local', 'sandbox']);

/** @throws HitchError BAD_INPUT with the first thing that is wrong. */
export async function templateToRun(
  { templates, lock, hub, ending }: TemplateTools,
  work: {
    readonly template: string;
    readonly preset?: string | undefined;
    readonly values: Readonly<Record<string, string | number | boolean>>;
  },
  rent: QuoteRequest,
  localRoot: string | null,
): Promise<TemplateToRun> {
  const { id, folder, template, check, listed, usesRayTrain } = await templates.toRun(
    work.template,
    localRoot,
  );
  const [first] = check.problems;
  if (template === null || check.digest === null) {
    throw new HitchError(
      'BAD_INPUT',
      first === undefined ? `The template ${id} cannot be read.` : templateProblemLine(first),
      {
        field: 'work.template',
        next: `Look at all of it with hitch template check ${folder}.`,
      },
    );
  }
  const nodes = Math.max(rent.nodes, rentWish(template, template.resources).nodes);
  const storageNodes = usesRayTrain ? nodes : null;
  const { values, preset } = judged({ template, storageNodes }, work, 'work.values');
  const resources = (preset === null ? undefined : template.presets[preset]?.resources) ?? template.resources;
  const [resource] = resources;
  const notes = await checkModels(
    hub,
    {
      template,
      values,
      // A practice machine has this computer's disk.
      resources: isHere(rent) ? [] : resources,
      diskGiB: isHere(rent) ? null : (rent.diskGiB ?? rent.filter.minDiskGiB ?? null),
      secrets: [...rent.secrets, ...rentWish(template, resources).secrets],
    },
    ending,
  );
  return {
    template,
    id,
    folder,
    digest: check.digest,
    files: listed.files,
    preset: work.preset,
    values,
    environments:
      rent.environment === null
        ? await environmentsOf({ template, folder, lock }, isHere(rent), resource?.gpu !== undefined)
        : [rent.environment],
    wanted: resource === undefined ? 'any machine' : machineWords(resource),
    storageNodes,
    notes,
  };
}

/** What the form makes of the values. @throws HitchError BAD_INPUT with the first that is wrong. */
export function judged(
  { template, storageNodes }: Pick<TemplateToRun, 'template' | 'storageNodes'>,
  given: {
    readonly preset?: string | undefined;
    readonly values: Readonly<Record<string, string | number | boolean>>;
  },
  field: string,
): { readonly values: Values; readonly preset: string | null } {
  const form = templateForm(template, { preset: given.preset, values: given.values });
  const wrong = formProblem(form);
  if (wrong !== null) {
    throw new HitchError('BAD_INPUT', wrong, { field });
  }
  const values = formValues(form);
  const storage =
    storageNodes === null ? null : storageProblem({ nodes: storageNodes, storage: values[STORAGE] });
  if (storage !== null) {
    throw new HitchError('BAD_INPUT', storage, { field });
  }
  return { values, preset: form.preset };
}

const isHere = ({ filter, offerIds }: QuoteRequest): boolean =>
  filter.practice === 'only' ||
  (filter.providers !== undefined && filter.providers.every(id => HERE.has(id))) ||
  (offerIds.length > 0 && offerIds.every(id => HERE.has(id.split(':', 1)[0] ?? '')));

/** What a machine with a card takes, and one without, the best first. */
const WITH_GPU: readonly Accelerator[] = ['cuda13', 'cuda12'];
const WITHOUT: readonly Accelerator[] = ['cpu'];

interface ToLock {
  readonly template: Template;
  readonly folder: string;
  readonly lock: TemplateTools['lock'];
}

/** One for each CUDA that it has a lock for: where no driver runs the newest, the older one is tried. */
async function environmentsOf(
  { template, folder, lock }: ToLock,
  isLocal: boolean,
  hasGpu: boolean,
): Promise<readonly (string | null)[]> {
  const { environment } = template;
  if (environment === undefined) {
    return [null];
  }
  const filesFor = (wanted: readonly Accelerator[]): readonly string[] => [
    ...new Set(wanted.flatMap(each => environment.locks[each] ?? [])),
  ];
  const withCard = hasGpu && !isLocal ? filesFor(WITH_GPU) : [];
  const files = withCard.length > 0 ? withCard : filesFor(WITHOUT);
  if (files.length === 0) {
    const wanted = hasGpu && !isLocal ? [...WITH_GPU, ...WITHOUT] : WITHOUT;
    throw new HitchError('BAD_INPUT', `The template ${template.name} has no lock for ${wanted.join(', ')}.`, {
      field: 'work.template',
      next: 'Add one under environment.locks and run hitch template lock.',
    });
  }
  const python = pythonVersionSchema.safeParse(environment.python);
  if (!python.success) {
    throw new HitchError(
      'BAD_INPUT',
      `The Python ${environment.python} of the template ${template.name} is none that machines get.`,
      {
        field: 'work.template',
        next: 'Name 3.10, 3.11, 3.12, 3.13 or 3.14 under environment.python.',
      },
    );
  }
  const ids: string[] = [];
  for (const file of files) {
    ids.push(await environmentOf({ template, folder, lock }, file, { python: python.data, isLocal }));
  }
  return ids;
}

async function environmentOf(
  { template, folder, lock }: ToLock,
  file: string,
  { python, isLocal }: { readonly python: EnvironmentRequest['python']; readonly isLocal: boolean },
): Promise<string> {
  const result = await lock({
    file: { name: file.split('/').at(-1) ?? file, text: await readFile(join(folder, file), 'utf8') },
    python,
    engine: template.cluster.engine === 'ray' ? 'ray' : 'single',
    platform: isLocal ? 'this-computer' : 'linux-x86_64',
  });
  const [problem] = result.problems;
  if (result.environment === null) {
    throw new HitchError(
      'BAD_INPUT',
      problem === undefined
        ? `${file} cannot be locked.`
        : `${problem.file}${problem.line === null ? '' : `:${problem.line}`}: ${problem.message}`,
      {
        field: 'work.template',
      },
    );
  }
  return result.environment.id;
}
