/** `hitch template add`, `update`, `remove`: templates from elsewhere, each looked at before a person says yes to it. */
import { resolve } from 'node:path';
import { type HitchClient, HitchError, type TemplateInfo, type TemplateLook } from '@hitch/contract';
import { looksLikeGit } from '@hitch/contract/src/templates/git-source.ts';
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { confirm } from '../screen/prompt.ts';
import { changeLines, lookLines } from '../templates/look-words.ts';

const json = z.boolean().default(false);
const yes = z.boolean().default(false);

/** What became of one template, as `--json` prints it. */
interface Outcome {
  /** False: a person did not agree. */
  readonly agreed: boolean;
  readonly look: TemplateLook;
  /** Null: nothing was written. */
  readonly template: TemplateInfo | null;
}

interface Asked {
  readonly isAgreed: boolean;
  readonly asJson: boolean;
}

const isSame = ({ before, shared }: TemplateLook): boolean =>
  before !== null && before.shared.digest === shared.digest && before.shared.source === shared.source;

/** Says what it is, asks, and takes it: nothing is written before the yes. */
async function decide(
  { io }: Context,
  api: HitchClient['api'],
  look: TemplateLook,
  { isAgreed, asJson }: Asked,
): Promise<Outcome> {
  const { details, before } = look;
  const { title, version } = details.info;
  if (isSame(look)) {
    if (!asJson) {
      io.line(`${title} ${version} is as it was.`);
    }
    return { agreed: true, look, template: null };
  }
  if (!asJson) {
    lookLines(look).forEach(line => io.line(line));
    changeLines(look, io).forEach(line => io.line(...line));
  }
  const question = before === null ? `Add ${title} ${version}?` : `Use ${title} ${version} from now on?`;
  if (!isAgreed && (asJson || !(await confirm(io, question)))) {
    return { agreed: false, look, template: null };
  }
  const template = await api.templates.take({ id: look.id });
  if (!asJson) {
    io.line(`Added. Its form: hitch template show ${template.id}.`);
  }
  return { agreed: true, look, template };
}

const exitOf = (outcomes: readonly Outcome[]): ExitCode =>
  outcomes.every(({ agreed }) => agreed) ? EXIT.ok : EXIT.declined;

export const addAdd = defineCommand({
  usage: 'add <source>',
  summary: 'look at a template of a repository or a folder, and add it to yours',
  examples: [
    ['hitch template add git+https://github.com/OWNER/REPOSITORY#v1.2.0', 'a repository that is a template'],
    ['hitch template add git+ssh://git@host/team/templates#main:hf-lora', 'a folder in one'],
    ['hitch template add git+https://huggingface.co/OWNER/NAME', 'a repository of the Hugging Face Hub'],
  ],
  options: command => command.option('-y, --yes', 'do not ask; it is said all the same'),
  schema: z.object({ source: z.string().min(1), yes, json }),
  run: async (context, { source, yes: isAgreed, json: asJson }) => {
    const { api } = await context.session();
    const look = await api.templates.look({
      source: looksLikeGit(source) ? source : resolve(context.cwd, source),
    });
    const outcome = await decide(context, api, look, { isAgreed, asJson });
    if (asJson) {
      context.io.json(outcome);
    }
    return exitOf([outcome]);
  },
});

export const addUpdate = defineCommand({
  usage: 'update [templates...]',
  summary: 'look for newer versions of the templates that you added, and say what is different',
  examples: [
    ['hitch template update', 'all of them, each with a question of its own'],
    ['hitch template update hf-lora --to v1.3.0', 'another tag, branch or commit'],
  ],
  options: command =>
    command
      .option('--to <ref>', 'a tag, a branch or a commit (default: what it was added from)')
      .option('-y, --yes', 'do not ask; it is said all the same'),
  schema: z.object({
    templates: z.array(z.string()).default([]),
    to: z.string().min(1).optional(),
    yes,
    json,
  }),
  run: async (context, { templates, to, yes: isAgreed, json: asJson }) => {
    const { io } = context;
    const { api } = await context.session();
    const names =
      templates.length > 0
        ? templates
        : (await api.templates.list({ folders: [] }))
            .filter(({ shared }) => shared !== undefined)
            .map(({ id }) => id);
    if (to !== undefined && names.length !== 1) {
      throw new HitchError('BAD_INPUT', '--to is for one template, and several are meant.', {
        field: '--to',
        next: 'Name the template.',
      });
    }
    if (names.length === 0 && !asJson) {
      io.line('No template was added from elsewhere.');
    }
    const outcomes: Outcome[] = [];
    for (const template of names) {
      const look = await api.templates.look({ template, ...(to === undefined ? {} : { ref: to }) });
      outcomes.push(await decide(context, api, look, { isAgreed, asJson }));
    }
    if (asJson) {
      io.json(outcomes);
    }
    return exitOf(outcomes);
  },
});

export const addRemove = defineCommand({
  usage: 'remove <template>',
  aliases: ['rm'],
  summary: 'remove a template that you added; jobs and clusters that were made of it stay',
  examples: [['hitch template remove hf-lora', 'and forget what its versions were']],
  schema: z.object({ template: z.string().min(1), json }),
  run: async ({ io, session }, { template, json: asJson }) => {
    const { api } = await session();
    await api.templates.remove({ name: template });
    if (asJson) {
      io.json({ removed: template });
    } else {
      io.line(`Removed ${template}.`);
    }
    return EXIT.ok;
  },
});
