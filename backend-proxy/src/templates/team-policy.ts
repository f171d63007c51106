/**
 * What a team allows, in a file that the daemon reads before each quote and each template: whose templates, from where, and how
 * much may be rented. It holds for templates and for plain rentals alike, so that nothing gets round it by leaving the template
 * out. A file that cannot be understood allows nothing.
 */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { HitchError } from '@hitch/contract';
import * as z from 'zod';
import { readYaml } from '@hitch/contract/src/templates/yaml-file.ts';
import { amountMicroUsd, timeMs } from '@hitch/contract/src/templates/schema.ts';
import { shownPath } from '@hitch/contract/src/templates/values.ts';

const dollars = z.string().regex(/^\$\d{1,6}(\.\d{1,6})?$/, 'must be an amount such as "$5" or "$0.46"');
const time = z.string().regex(/^[1-9]\d{0,6}[smhd]$/, 'must be a time with its unit, such as 30m or 2h');
const file = z.string().min(1).max(1000);

const policySchema = z.strictObject({
  schema: z.literal('hitch-policy/1', { error: 'must be hitch-policy/1' }),
  templates: z
    .strictObject({
      /**
       * `hitch`: those that come with it. `user`: in the user's own folder. `folder`: named by their folder. Else the beginning
       * of a source, such as `git+https://github.com/our-team/`.
       */
      sources: z.array(z.string().min(1).max(1000)).min(1).max(100).optional(),
      /** A file of allowed signers, beside the policy where it is not absolute. All but those of Hitch must be signed then. */
      signers: file.optional(),
      revoked: file.optional(),
      /** `never`: a template runs a program with its arguments, and no text for a shell. */
      scripts: z.enum(['allowed', 'never']).default('allowed'),
    })
    .optional(),
  limits: z
    .strictObject({
      perHour: dollars.optional(),
      total: dollars.optional(),
      time: time.optional(),
      networks: z.array(z.string().min(1).max(40)).min(1).max(50).optional(),
      practice: z.enum(['allowed', 'only', 'never']).default('allowed'),
    })
    .optional(),
});

export interface TeamPolicy {
  /** Absolute; each refusal names it. */
  readonly file: string;
  readonly sources: readonly string[] | null;
  /** Absolute; null: signatures are not asked for. */
  readonly signers: string | null;
  readonly revoked: string | null;
  readonly scripts: 'allowed' | 'never';
  readonly limits: {
    /** All machines of a cluster or a job together. */
    readonly perHourMicroUsd: bigint | null;
    readonly totalMicroUsd: bigint | null;
    readonly timeMs: number | null;
    readonly networks: readonly string[] | null;
    readonly practice: 'allowed' | 'only' | 'never';
  };
}

/** Null where there is no such file. @throws HitchError CONFLICT where it cannot be understood. */
export async function readPolicy(path: string): Promise<TeamPolicy | null> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return null;
    }
    throw wrong(path, 'cannot be read', error);
  }
  if (content.toString('utf8').trim() === '') {
    throw wrong(path, 'is empty');
  }
  const read = readYaml(content);
  if (!read.ok) {
    const [first] = read.problems;
    throw wrong(path, `${place(first?.line, first?.column)}${first?.sentence ?? 'cannot be read'}`);
  }
  const parsed = policySchema.safeParse(read.file.data);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const at = issue?.path.map(step => (typeof step === 'symbol' ? String(step) : step)) ?? [];
    const { line, column } = read.file.at(at);
    const what = issue?.code === 'unrecognized_keys' ? `has no key “${issue.keys[0] ?? ''}”` : issue?.message;
    const where = at.length === 0 ? 'A policy' : `“${shownPath(at)}”`;
    throw wrong(path, `${place(line, column)}${where} ${what ?? 'is wrong'}.`);
  }
  const { templates, limits } = parsed.data;
  const beside = (name: string | undefined): string | null =>
    name === undefined ? null : isAbsolute(name) ? name : join(dirname(path), name);
  return {
    file: path,
    sources: templates?.sources ?? null,
    signers: beside(templates?.signers),
    revoked: beside(templates?.revoked),
    scripts: templates?.scripts ?? 'allowed',
    limits: {
      perHourMicroUsd: amountMicroUsd(limits?.perHour) ?? null,
      totalMicroUsd: amountMicroUsd(limits?.total) ?? null,
      timeMs: timeMs(limits?.time) ?? null,
      networks: limits?.networks ?? null,
      practice: limits?.practice ?? 'allowed',
    },
  };
}

const place = (line: number | undefined | null, column: number | undefined | null): string =>
  line === undefined || line === null ? '' : `${line.toString()}:${(column ?? 1).toString()}  `;

const wrong = (path: string, what: string, cause?: unknown): HitchError =>
  new HitchError('CONFLICT', `The team’s policy allows nothing until it is put right: ${path}: ${what}`, {
    next: 'Ask whoever keeps that file.',
    cause,
  });

/** A refusal that names the file and the rule, such as `templates.signers`. */
export const refusedBy = (
  { file: path }: Pick<TeamPolicy, 'file'>,
  rule: string,
  sentence: string,
  field?: string,
): HitchError =>
  new HitchError('BAD_INPUT', `${sentence} (${path}: ${rule})`, {
    ...(field === undefined ? {} : { field }),
    next: 'Stay inside your team’s policy, or ask whoever keeps that file.',
  });

/** The policies that hold here: the computer's, and the user's own. Each is read when it is needed, so a change counts at once. */
export class TeamPolicies {
  readonly #paths: readonly string[];

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** @throws HitchError CONFLICT where one cannot be understood. */
  async read(): Promise<readonly TeamPolicy[]> {
    const read = await Promise.all(this.#paths.map(readPolicy));
    return read.filter(policy => policy !== null);
  }
}

/** The file of the computer, which its owner may keep from its users' hands. */
export const COMPUTERS_POLICY = '/etc/hitch/policy.yaml';
