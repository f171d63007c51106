/** `hitch template test`: runs a template's test on this computer, and has it go on after it is ended in the middle. */
import { resolve } from 'node:path';
import { homeFromEnvironment } from '@hitch/platform/src/paths.ts';
import { VERSION } from '@hitch/platform/src/version.ts';
import { join } from 'node:path';
import * as z from 'zod';
import { runCommand } from '../../machines/python.ts';
import { testEnvironment } from '../../templates/test-environment.ts';
import { tryHere, type Trial } from '../../templates/try-here.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruptible } from '../interrupts.ts';
import { pythonHere, uvHere } from '../templates/tools.ts';
import { practiceExit, practiceLines, type PracticeTrial, tryOnPractice } from './template-practice.ts';

export const addTemplateTest = defineCommand({
  usage: 'test [template]',
  summary: 'run the test of a template on this computer, with its lock for cpu',
  examples: [
    ['hitch template test', 'the template in this folder'],
    ['hitch template test numpy-classifier --json', 'one of Hitch’s, for a script'],
    ['hitch template test --practice', 'as a job that rents a practice machine, saves and deletes it'],
    ['hitch template test --all', 'every one that comes with Hitch and has a test'],
  ],
  options: command =>
    command
      .option('--all', 'every template of Hitch that has a test')
      .option(
        '--practice',
        'as a job that rents a practice machine, instead of in a folder of this computer',
      ),
  schema: z.object({
    template: z.string().default('.'),
    all: z.boolean().default(false),
    practice: z.boolean().default(false),
    json: z.boolean().default(false),
  }),
  run: async (context, { template, all, practice, json }) => {
    const { io } = context;
    const folders = all ? await shippedFolders(context) : [await folderOf(context, template)];
    if (practice) {
      return onPractice(context, folders, { all, json });
    }
    const trials: Trial[] = [];
    for (const folder of folders) {
      const trial = await tried(context, folder, json);
      trials.push(trial);
      if (!json) {
        trialLines(trial).forEach(line => io.line(line));
      }
    }
    if (json) {
      io.json(all ? trials : trials[0]);
    }
    return trials.every(({ ok }) => ok) ? EXIT.ok : EXIT.cellFailed;
  },
});

/** One after the other; the exit code is that of the first that does not work. */
async function onPractice(
  context: Context,
  folders: readonly string[],
  { all, json }: { readonly all: boolean; readonly json: boolean },
): Promise<ExitCode> {
  const { io } = context;
  const trials: PracticeTrial[] = [];
  let exit: ExitCode = EXIT.ok;
  for (const folder of folders) {
    const { trial, code } = await tryOnPractice(context, folder, json);
    trials.push(trial);
    exit = exit === EXIT.ok ? practiceExit(trial, code) : exit;
    if (!json) {
      practiceLines(trial).forEach(line => io.line(line));
    }
    if (code === EXIT.interrupted) {
      break;
    }
  }
  if (json) {
    io.json(all ? trials : trials[0]);
  }
  return exit;
}

async function folderOf({ session, cwd }: Context, template: string): Promise<string> {
  if (/^\.|[\\/]/.test(template)) {
    return resolve(cwd, template);
  }
  const { api } = await session();
  return (await api.templates.show({ template })).info.folder;
}

async function shippedFolders({ session }: Context): Promise<readonly string[]> {
  const { api } = await session();
  return (await api.templates.list({}))
    .filter(({ source, runs }) => source === 'hitch' && runs)
    .map(({ folder }) => folder);
}

/** Ctrl-C ends what it started too. */
async function tried(
  { io, env, clock, interrupts }: Context,
  folder: string,
  quiet: boolean,
): Promise<Trial> {
  const say = (sentence: string): void => {
    if (!quiet) {
      io.note(sentence);
    }
  };
  return interruptible(interrupts, signal =>
    tryHere(folder, {
      signal,
      hitch: VERSION,
      clock,
      environment: env,
      onLine: line => {
        if (!quiet) {
          io.line(line);
        }
      },
      python: async wish =>
        wish === null
          ? pythonHere({ env }, signal)
          : testEnvironment(
              {
                ...wish,
                folder: join(homeFromEnvironment(env).root, 'template-envs'),
                named: env['HITCH_PYTHON'],
              },
              { uv: await uvHere({ env, clock, say }, signal), run: runCommand, report: say },
              signal,
            ),
    }),
  );
}

function trialLines({
  ok,
  template,
  seconds,
  firstLoss,
  lastLoss,
  resumedFromStep,
  problems,
  notes,
}: Trial): readonly string[] {
  const loss = firstLoss === null || lastLoss === null ? [] : [`loss ${firstLoss} to ${lastLoss}`];
  const resumed = resumedFromStep === null ? [] : [`went on at step ${resumedFromStep} after it was ended`];
  return [
    `${template}: ${[ok ? 'works' : 'does not work', `${seconds} s`, ...loss, ...resumed].join(', ')}.`,
    ...problems,
    ...notes,
  ];
}
