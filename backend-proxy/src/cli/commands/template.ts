/** `hitch template`: folders that say what to run and what it needs; written, checked, locked and shown. */
import { relative, resolve } from 'node:path';
import {
  formProblem,
  templateProblemLine,
  type TemplateCheck,
  type TemplateInfo,
  type TemplateProblem,
} from '@hitch/contract';
import * as z from 'zod';
import { runCommand } from '../../machines/python.ts';
import { lockWish, makeLocks } from '../../templates/make-lock.ts';
import { folderAndFile } from '../../templates/templates.ts';
import { defineCommand, defineGroup } from '../command.ts';
import { addPublish } from './template-publish.ts';
import { addAdd, addRemove, addSave, addUpdate } from './template-share.ts';
import { addTemplateTest } from './template-test.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { writeTable } from '../screen/table.ts';
import { writeStarter } from '../templates/starter.ts';
import { uvHere } from '../templates/tools.ts';
import { detailLines } from '../templates/words.ts';

const json = z.boolean().default(false);

const SOURCES = { hitch: 'Hitch', user: 'yours', folder: 'this folder' } as const;

const addList = defineCommand({
  usage: 'ls',
  summary: 'list templates: those of Hitch, yours in ~/.hitch/templates, and those of this folder',
  examples: [['hitch template ls', 'what there is, and where it comes from']],
  schema: z.object({ json }),
  run: async ({ io, session, cwd }, input) => {
    const { api } = await session();
    const templates = await api.templates.list({ folders: [cwd] });
    if (input.json) {
      io.json(templates);
      return EXIT.ok;
    }
    const shownId = ({ id, source, folder }: TemplateInfo): string =>
      source === 'folder' ? `./${relative(cwd, folder)}` : id;
    writeTable(io, templates, [
      { title: 'TEMPLATE', cell: shownId, priority: 1 },
      { title: 'VERSION', cell: ({ version }) => version || '–', priority: 3 },
      {
        title: 'TITLE',
        cell: titleWords,
        priority: 2,
      },
      { title: 'FROM', cell: fromWords, priority: 4 },
    ]);
    return EXIT.ok;
  },
});

/** With who signed it, where somebody did. */
const fromWords = ({ source, shared }: TemplateInfo): string =>
  shared === undefined
    ? SOURCES[source]
    : `${shared.source}${shared.signedBy === null ? '' : `, signed by ${shared.signedBy}`}`;

const titleWords = ({ title, problems, deprecated }: TemplateInfo): string => {
  const notes = [
    ...(problems === 0 ? [] : [countOf(problems)]),
    ...(deprecated === undefined
      ? []
      : [deprecated.use === null ? 'deprecated' : `deprecated: use ${deprecated.use}`]),
  ];
  return notes.length === 0 ? title : `${title} (${notes.join('; ')})`;
};

const countOf = (problems: number): string => (problems === 1 ? '1 problem' : `${problems} problems`);

/** Places as the person wrote them, so that a terminal opens them. */
const placed = (problem: TemplateProblem, target: string, isOnly: boolean): string => {
  const below = isOnly
    ? problem.file
    : [target.replace(/[\\/]+$/, ''), problem.file].filter(part => part !== '').join('/');
  return templateProblemLine({ ...problem, file: below === '' ? target : below });
};

async function checkTarget(
  { session, cwd }: Context,
  target: string,
): Promise<TemplateCheck & { target: string }> {
  const { api } = await session();
  const wanted = await folderAndFile(resolve(cwd, target));
  const check = await api.templates.check(wanted);
  const file = wanted.fileName;
  const named = (problem: TemplateProblem): TemplateProblem =>
    file !== undefined && problem.file === 'hitch.yaml' ? { ...problem, file } : problem;
  return {
    ...check,
    problems: check.problems.map(named),
    target: file === undefined ? target : target.slice(0, -file.length),
  };
}

const addCheck = defineCommand({
  usage: 'check [folders...]',
  summary: 'say everything that is wrong with a template, with line, column and what to do',
  examples: [
    ['hitch template check', 'the template in this folder'],
    ['hitch template check samples/templates/*', 'several'],
    ['hitch template check --json', 'for a script or an editor'],
  ],
  schema: z.object({ folders: z.array(z.string()).default([]), json }),
  run: async (context, { folders, json: asJson }) => {
    const { io } = context;
    const targets = folders.length === 0 ? ['.'] : folders;
    const checks = [];
    for (const target of targets) {
      checks.push(await checkTarget(context, target));
    }
    const problems = checks.reduce((sum, check) => sum + check.problems.length, 0);
    if (asJson) {
      io.json({ problems, checks });
    } else {
      const isOnly = folders.length === 0;
      for (const check of checks) {
        check.problems.forEach(problem => io.line(placed(problem, check.target, isOnly)));
        check.notes.forEach(note => io.note(placed(note, check.target, isOnly)));
      }
      io.line(countOf(problems));
    }
    return problems === 0 ? EXIT.ok : EXIT.usage;
  },
});

const addShow = defineCommand({
  usage: 'show <template>',
  summary: 'show a template: its form, presets, machines, environment, limits',
  examples: [
    ['hitch template show numpy-classifier', 'by its name'],
    [
      'hitch template show ./mine --preset smoke --set steps=5',
      'a folder, with the values that a run would get',
    ],
  ],
  options: command =>
    command
      .option('--preset <name>', 'fill the form from a preset')
      .option('--set <name=value...>', 'a value of a parameter'),
  schema: z.object({
    template: z.string(),
    preset: z.string().optional(),
    set: z
      .array(z.string().regex(/^[^=]+=/s, 'Write a parameter and its value: --set steps=200.'))
      .default([]),
    json,
  }),
  run: async ({ io, session, cwd }, { template, preset, set, json: asJson }) => {
    const { api } = await session();
    const details = await api.templates.show({
      template: templateNamed(template, cwd),
      ...(preset === undefined ? {} : { preset }),
      values: Object.fromEntries(
        set.map(text => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
      ),
    });
    const wrong = details.form === null ? null : formProblem(details.form);
    if (asJson) {
      io.json(details);
    } else {
      detailLines(details).forEach(line => io.line(line));
      details.check.problems.forEach(problem => io.note(templateProblemLine(problem)));
      details.check.notes.forEach(note => io.note(templateProblemLine(note)));
      if (wrong !== null) {
        io.note(wrong);
      }
    }
    return details.check.problems.length === 0 && wrong === null ? EXIT.ok : EXIT.usage;
  },
});

/** A folder where it is written as one; else a name. */
const templateNamed = (template: string, cwd: string): string =>
  /^\.|[\\/]/.test(template) ? resolve(cwd, template) : template;

const addInit = defineCommand({
  usage: 'init <folder>',
  summary: 'write a template to begin with',
  examples: [
    ['hitch template init my-training', 'a small training that works, to change'],
    ['hitch template init mine --from ./other', 'a copy of another template'],
  ],
  options: command => command.option('--from <template>', 'what to copy (default: numpy-classifier)'),
  schema: z.object({ folder: z.string().min(1), from: z.string().default('numpy-classifier'), json }),
  run: async ({ io, cwd }, { folder, from, json: asJson }) => {
    const place = resolve(cwd, folder);
    const starter = await writeStarter(place, /^\.|[\\/]/.test(from) ? resolve(cwd, from) : from);
    if (asJson) {
      io.json({ folder: place, ...starter });
      return EXIT.ok;
    }
    io.line(`Wrote ${starter.name}: ${starter.files.join(', ')}.`);
    io.line(`Check it with hitch template check ${folder}.`);
    return EXIT.ok;
  },
});

const addLock = defineCommand({
  usage: 'lock [folder]',
  summary: 'write the locks that hitch.yaml names, from requirements.in, with exact versions and hashes',
  examples: [['hitch template lock', 'adds ray and ipykernel where the engine or the notebook needs them']],
  schema: z.object({ folder: z.string().default('.'), json }),
  run: async ({ io, env, cwd, clock }, { folder, json: asJson }) => {
    const place = resolve(cwd, folder);
    const wish = await lockWish(place);
    const { signal } = new AbortController();
    const say = (sentence: string): void => {
      if (!asJson) {
        io.note(sentence);
      }
    };
    wish.adds.forEach(({ requirement, why }) => say(`Adds ${requirement}, for ${why}.`));
    const uv = await uvHere({ env, clock, say }, signal);
    const made = await makeLocks(wish, { uv, run: runCommand, report: say }, signal);
    if (asJson) {
      io.json({ folder: place, locks: made });
      return EXIT.ok;
    }
    for (const { file, packages, changed, note } of made) {
      io.line(
        `${file}: ${packages} packages${changed ? '' : ', as before'}.${note === null ? '' : ` ${note}`}`,
      );
    }
    return EXIT.ok;
  },
});

export const addTemplate = defineGroup({
  name: 'template',
  summary: 'folders that say what to run and what it needs: write, check, lock, show, test, share',
  commands: [
    addList,
    ...[addInit, addCheck, addLock, addShow, addTemplateTest],
    ...[addAdd, addUpdate, addRemove, addPublish, addSave],
  ],
});
