/**
 * What the Hugging Face Hub says of the models that a template is to load: who may, and how large they are. A model that is gated
 * and one that does not fit the disk are the commonest reasons why a machine was rented for nothing; both can be known before.
 * Shapes: https://huggingface.co/docs/hub/api, `GET /api/models/{repo_id}`, and huggingface_hub's `ModelInfo`.
 */
import { HitchError, shownName } from '@hitch/contract';
import type { Values } from '@hitch/contract/src/templates/render.ts';
import type { Template, TemplateResource } from '@hitch/contract/src/templates/schema.ts';
import { type Clock, within } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import type { Providers } from '../../providers/registry.ts';

export interface HubParts {
  readonly send: Providers['web'];
  readonly clock: Clock;
  /** `HF_ENDPOINT`, as the Hub's own library reads it. */
  readonly endpoint: string;
  /** `HF_HUB_OFFLINE` is set: nothing is asked. */
  readonly offline: boolean;
}

const GIB = 1024 ** 3;
const ANSWER_MS = 5_000;
/** Beside the weights lie the packages, the cache's locks and what a run writes. */
const ROOM = 1.2;

/** Unknown fields pass; what is not understood is as if it were not said. */
const modelSchema = z.object({
  gated: z.union([z.boolean(), z.string()]).catch(false).default(false),
  siblings: z
    .array(z.object({ rfilename: z.string(), size: z.number().nullable().optional() }))
    .catch([])
    .default([]),
});

export interface HubModel {
  readonly id: string;
  readonly gated: boolean;
  /** Of its weights, once; null: the Hub does not say. */
  readonly bytes: number | null;
}

/** `owner/name`, and neither a folder nor the small model of a test. */
const HUB_ID = /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/;

/** Of the same weights in several formats, transformers loads safetensors where there are any. */
function weightsOf(siblings: z.infer<typeof modelSchema>['siblings']): number | null {
  const sum = (pattern: RegExp): number =>
    siblings
      .filter(({ rfilename }) => pattern.test(rfilename))
      .reduce((total, { size }) => total + (size ?? 0), 0);
  const bytes = sum(/\.safetensors$/) || sum(/\.(?:bin|pt|pth)$/) || sum(/\.gguf$/);
  return bytes === 0 ? null : bytes;
}

/** @returns null where it cannot be asked; `none`: there is no such model that everybody may see. */
export async function askHub(
  { send, clock, endpoint, offline }: HubParts,
  id: string,
  signal: AbortSignal,
): Promise<HubModel | 'none' | null> {
  if (offline) {
    return null;
  }
  try {
    const request = {
      method: 'GET',
      url: `${endpoint}/api/models/${id}?blobs=true`,
      headers: {},
      body: null,
    } as const;
    const answer = await within(clock, ANSWER_MS, late => send(request, AbortSignal.any([signal, late])));
    if (answer.status === 401 || answer.status === 404) {
      return 'none';
    }
    if (answer.status !== 200) {
      return null;
    }
    const { gated, siblings } = modelSchema.parse(JSON.parse(answer.text));
    return { id, gated: gated !== false, bytes: weightsOf(siblings) };
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

export interface ModelsToLoad {
  readonly template: Template;
  readonly values: Values;
  /** The machines that may be taken, each with the disk that it is asked for with. */
  readonly resources: readonly TemplateResource[];
  /** The disk that a person asks for; null: as the template says. */
  readonly diskGiB: number | null;
  /** Names of the secrets that it gets. */
  readonly secrets: readonly string[];
}

const TOKENS = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'];

/**
 * @returns what could not be known, a sentence each, for the quote.
 * @throws HitchError BAD_INPUT where a model could not be loaded.
 */
export async function checkModels(
  hub: HubParts,
  { template, values, resources, diskGiB, secrets }: ModelsToLoad,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const notes: string[] = [];
  let bytes = 0;
  const models: string[] = [];
  for (const [name, parameter] of Object.entries(template.parameters)) {
    const value = values[name];
    if (parameter.type !== 'model' || typeof value !== 'string' || !HUB_ID.test(value)) {
      continue;
    }
    models.push(value);
    const declared = value === parameter.default ? (parameter.sizeGiB ?? null) : null;
    const found = await askHub(hub, value, signal);
    const hasToken = secrets.some(secret => TOKENS.includes(secret));
    if (found === 'none' && !hasToken) {
      throw wrong(
        `The Hub shows no model ${shownName(value)} to somebody without a login.`,
        'Correct its name, or, where it is private, add secret HF_TOKEN.',
      );
    }
    if (found !== null && found !== 'none' && found.gated && !hasToken) {
      throw wrong(
        `The model ${shownName(value)} is gated: only who was let in may load it, and this job gets no token.`,
        `Ask to be let in at ${hub.endpoint}/${value}, store your token with hitch secrets set HF_TOKEN, and add --secret HF_TOKEN.`,
      );
    }
    const size =
      (found === null || found === 'none' ? null : found.bytes) ??
      (declared === null ? null : declared * GIB);
    if (found === null) {
      notes.push(
        `The Hub could not be asked about ${shownName(value)}: whether you may load it${size === null ? ', and its size, are' : ' is'} not known`,
      );
    }
    bytes += size ?? 0;
  }
  checkDisk(bytes, { models, diskGiB, resources });
  return notes;
}

/** @throws HitchError BAD_INPUT where no machine that may be taken is asked for with a disk that is large enough. */
function checkDisk(
  bytes: number,
  {
    models,
    diskGiB,
    resources,
  }: Pick<ModelsToLoad, 'diskGiB' | 'resources'> & { readonly models: readonly string[] },
): void {
  const disks = diskGiB === null ? resources.map(resource => resource.diskGiB ?? null) : [diskGiB];
  const known = disks.filter(disk => disk !== null);
  const largest = Math.max(...known);
  if (bytes === 0 || disks.length === 0 || known.length < disks.length || bytes * ROOM <= largest * GIB) {
    return;
  }
  const need = Math.ceil((bytes * ROOM) / GIB);
  throw wrong(
    `${models.map(shownName).join(' and ')} has ${Math.ceil(bytes / GIB).toString()} GB of weights, and the machine is asked for with a disk of ${largest.toString()} GB.`,
    `Ask for at least ${need.toString()} GB: --disk ${need.toString()}.`,
  );
}

const wrong = (sentence: string, next: string): HitchError =>
  new HitchError('BAD_INPUT', sentence, { field: 'work.values', next });
