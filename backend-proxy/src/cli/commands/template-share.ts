/** `hitch template add`, `update`, `remove`: templates from elsewhere, each looked at before a person says yes to it. */
import { resolve } from 'node:path';
import {
  type HitchClient,
  HitchError,
  type TemplateInfo,
  type TemplateLook,
  templateProblemLine,
} from '@hitch/contract';
import { looksLikeGit } from '@hitch/contract/src/templates/git-source.ts';
import {
  changeLines,
  isAsBefore,
  lookQuestion,
  trustLines,
} from '@hitch/contract/src/templates/look-words.ts';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { confirm } from '../screen/prompt.ts';
import { detailLines } from '../templates/words.ts';

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

/** Says what it is, asks, and takes it: nothing is written before the yes. */
async function decide(
  { io }: Context,
  api: HitchClient['api'],
  look: TemplateLook,
  { isAgreed, asJson }: Asked,
): Promise<Outcome> {
  const { details } = look;
  if (isAsBefore(look)) {
    if (!asJson) {
      io.line(`${details.info.title} ${details.info.version} is as it was.`);
    }
    return { agreed: true, look, template: null };
  }
  if (!asJson) {
    [...detailLines(details), '', ...trustLines(look)].forEach(line => io.line(line));
    changeLines(look).forEach(({ text, rises }) => io.line(rises ? io.style('bold', text) : text));
  }
  if (!isAgreed && (asJson || !(await confirm(io, lookQuestion(look))))) {
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

export const addSave = defineCommand({
  usage: 'save <cluster> <folder>',
  summary: 'write what a cluster is as a template: a draft of its needs, packages, limits and what ran on it',
  examples: [['hitch template save llm-dev ./llm-train', 'then hitch template check ./llm-train']],
  schema: z.object({ cluster: z.string(), folder: z.string().min(1), json }),
  run: async ({ io, session, cwd }, { cluster: named, folder, json: asJson }) => {
    const { api } = await session();
    const { id } = await findCluster(api, named);
    const draft = await api.templates.draft({ clusterId: id, folder: resolve(cwd, folder) });
    if (asJson) {
      io.json(draft);
      return EXIT.ok;
    }
    io.line(`Wrote ${draft.files.join(', ')} into ${draft.folder}.`);
    draft.check.problems.forEach(problem => io.line(templateProblemLine(problem)));
    if (draft.check.problems.length > 0) {
      io.line('It is a draft: this is still to be done.');
    }
    return EXIT.ok;
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
