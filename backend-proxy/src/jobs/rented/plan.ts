/** What a job that rents is to run and on what, from what was asked for: a template with its values, or a program. */
import { posix } from 'node:path';
import {
  DEFAULT_LIMITS,
  formatMicroUsd,
  HitchError,
  type jobQuoteRequestSchema,
  type JobSpec,
  jobSpecSchema,
  MOST_REPLACEMENTS,
  MOST_RETRIES,
  type OfferFilter,
  type QuoteRequest,
  USUAL_SAVE_WITHIN_MS,
} from '@hitch/contract';
import { parameterVariables, renderCommand, type Values } from '@hitch/contract/src/templates/render.ts';
import type { Template, TemplateCommand, TemplateResource } from '@hitch/contract/src/templates/schema.ts';
import type * as z from 'zod';
import { filterOf, rentWish } from '../../templates/template-words.ts';
import { checkWanted } from '../several-nodes.ts';
import { targetOf } from './files.ts';

type Asked = z.output<typeof jobQuoteRequestSchema>;

export interface RentedPlan {
  readonly spec: JobSpec;
  /** Of this computer; null: nothing is sent. */
  readonly folder: string | null;
  /** Where that goes in the work folder. */
  readonly target: string | null;
  readonly checkpointFolder: string | null;
  /** What is asked of the offers, the best first. */
  readonly requests: readonly QuoteRequest[];
  readonly lastsMs: number | null;
  readonly replacements: number;
}

/** The values of a template's parameters, in the folder that is sent. */
export const PARAMS_FILE = '.hitch-params.json';
/** Written once `prepare` is done, so that a run which is tried again does not do it twice. */
const PREPARED = '.hitch-prepared';

const inside = (folder: string | null, path: string): string =>
  [folder ?? '', path].filter(part => part !== '' && part !== '.').join('/');

/** A program of the person's, in a folder of theirs. */
export function planProgram(
  asked: Asked & { readonly work: { readonly kind: 'program' } },
  nowMs: number,
): RentedPlan {
  const { spec, folder, checkpoints } = asked.work;
  const target = folder === null ? null : targetOf(folder);
  checkWanted(spec, asked.rent.nodes);
  const placed: JobSpec = {
    ...spec,
    work: spec.work.kind === 'notebook' ? { ...spec.work, path: inside(target, spec.work.path) } : spec.work,
    folder: inside(target, spec.folder),
    outputs: spec.outputs.map(path => inside(target, path)),
  };
  return {
    spec: placed,
    folder,
    target,
    checkpointFolder: checkpoints === null ? null : inside(target, checkpoints),
    requests: [requestOf(asked, {}, placed)],
    lastsMs: lastsOf(asked, nowMs, null),
    replacements: asked.replacements ?? 0,
  };
}

/** @param values as its form has judged them. @throws HitchError BAD_INPUT where it has no command. */
export function planTemplate(
  asked: Asked,
  {
    template,
    folder,
    id,
    preset,
    values,
    environments,
  }: {
    readonly template: Template;
    readonly folder: string;
    readonly id: string;
    readonly preset: string | undefined;
    readonly values: Values;
    readonly environments: readonly (string | null)[];
  },
  nowMs: number,
): RentedPlan {
  const { run, prepare, retry, checkpoints } = template;
  if (run === undefined) {
    throw new HitchError(
      'BAD_INPUT',
      `The template ${template.name} has no command, so there is nothing to run.`,
      {
        field: 'work.template',
        next: `Rent a cluster with it: “hitch rent --template ${id}”.`,
      },
    );
  }
  const target = targetOf(template.name);
  const rendered = renderCommand(template, run, values);
  const spec = jobSpecSchema.parse({
    work: prepare === undefined ? rendered.work : afterPreparing(template, prepare, run, values),
    folder: inside(target, prepare === undefined ? rendered.folder : ''),
    variables: {
      ...parameterVariables(values),
      HITCH_PARAMS_FILE:
        prepare === undefined && rendered.folder !== ''
          ? posix.join(posix.relative(rendered.folder, ''), PARAMS_FILE)
          : PARAMS_FILE,
    },
    retries: Math.min(MOST_RETRIES, retry?.failed ?? 0),
    outputs: Object.values(template.outputs).map(({ path }) => inside(target, path)),
    metricPatterns: Object.fromEntries(
      Object.entries(template.metrics ?? {}).map(([name, { line }]) => [name, line]),
    ),
  });
  const chosen = preset === undefined ? undefined : template.presets[preset];
  const resources = chosen?.resources ?? template.resources;
  const wishes = resources.flatMap((resource: TemplateResource) => {
    const wish = rentWish(template, [resource]);
    return environments.map(environment =>
      requestOf(
        asked,
        {
          template: id,
          engine:
            Math.max(wish.nodes, asked.rent.nodes) > 1 || template.cluster.engine === 'ray'
              ? 'ray'
              : 'single',
          nodes: wish.nodes,
          filter: { ...filterOf(resource), ...wish.filter },
          capMicroUsd: wish.capMicroUsd,
          maxNodePricePerHourMicroUsd: wish.maxNodePricePerHourMicroUsd,
          secrets: wish.secrets,
          environment,
        },
        spec,
      ),
    );
  });
  return {
    spec,
    folder,
    target,
    checkpointFolder:
      checkpoints === undefined || checkpoints.resume === 'never' ? null : inside(target, checkpoints.folder),
    requests: wishes,
    lastsMs: lastsOf(asked, nowMs, rentWish(template, resources).timeMs),
    replacements: asked.replacements ?? Math.min(MOST_REPLACEMENTS, retry?.lost ?? 0),
  };
}

interface Proposal {
  readonly template?: string;
  readonly engine?: string;
  readonly nodes?: number;
  readonly filter?: OfferFilter;
  readonly capMicroUsd?: string | null;
  readonly maxNodePricePerHourMicroUsd?: string | null;
  readonly secrets?: readonly string[];
  readonly environment?: string | null;
}

/** What a person says wins over what a template proposes. */
function requestOf({ rent, saveWithinMs }: Asked, proposal: Proposal, { outputs }: JobSpec): QuoteRequest {
  return {
    ...rent,
    template: proposal.template ?? rent.template,
    engine: rent.engine ?? proposal.engine ?? null,
    nodes: Math.max(rent.nodes, proposal.nodes ?? 1),
    filter: rent.offerIds.length > 0 ? rent.filter : { ...proposal.filter, ...rent.filter },
    capMicroUsd: rent.capMicroUsd ?? proposal.capMicroUsd ?? formatMicroUsd(DEFAULT_LIMITS.capMicroUsd),
    maxNodePricePerHourMicroUsd:
      rent.maxNodePricePerHourMicroUsd ?? proposal.maxNodePricePerHourMicroUsd ?? null,
    // What it made is kept until it is here: a computer that sleeps must not have it deleted for being idle.
    idleMs: rent.idleMs ?? 0,
    secrets: [...new Set([...rent.secrets, ...(proposal.secrets ?? [])])],
    environment: rent.environment ?? proposal.environment ?? null,
    save: {
      ...rent.save,
      paths: [...new Set([...rent.save.paths, ...outputs])],
      withinMs: saveWithinMs ?? USUAL_SAVE_WITHIN_MS,
    },
  };
}

const lastsOf = ({ rent }: Asked, nowMs: number, proposedMs: number | null): number | null =>
  rent.stopAtMs !== null
    ? Math.max(60_000, rent.stopAtMs - nowMs)
    : (proposedMs ?? DEFAULT_LIMITS.stopAfterMs);

/**
 * `prepare` and then `run`, as one program. Their arguments are arguments of the shell too and no part of its text, so that
 * no value is ever read as a command.
 */
function afterPreparing(
  template: Template,
  prepare: TemplateCommand,
  run: TemplateCommand,
  values: Values,
): JobSpec['work'] {
  const first = argumentsOf(renderCommand(template, prepare, values));
  const second = argumentsOf(renderCommand(template, run, values));
  const text = [
    'count=$1; shift; export HITCH_PARAMS_FILE="$PWD/$HITCH_PARAMS_FILE"',
    `if [ ! -e ${PREPARED} ]; then (cd -- "$1" && shift && "\${@:1:count-1}") || exit; : > ${PREPARED}; fi`,
    'shift "$count"; cd -- "$1" && shift && exec "$@"',
  ].join('\n');
  return {
    kind: 'command',
    command: ['bash', '-c', text, 'hitch', first.length.toString(), ...first, ...second],
  };
}

const argumentsOf = ({ work, folder }: ReturnType<typeof renderCommand>): readonly string[] => [
  folder === '' ? '.' : folder,
  ...(work.kind === 'command' ? work.command : ['bash', '-c', work.script]),
];
