/** `hitch ssh-config`: whether plain `ssh` and editors find the clusters, and the one line that lets them. */
import type { SshConfigState } from '@hitch/contract';
import { Argument } from 'commander';
import * as z from 'zod';
import { resolve } from 'node:path';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { confirm } from '../screen/prompt.ts';
import type { Io } from '../screen/io.ts';
import { oneOf } from '../values.ts';

const ACTIONS = ['show', 'write', 'remove'] as const;

function show(io: Io, state: SshConfigState, json: boolean): ExitCode {
  if (json) {
    io.json(state);
    return EXIT.ok;
  }
  if (state.problem !== '') {
    io.line(state.problem);
  } else if (state.included) {
    io.line(`${state.userFile} includes ${state.configFile}.`);
  } else {
    io.line(
      `${state.userFile} does not include Hitch’s hosts. hitch ssh-config write puts this line at its top:`,
    );
    io.line(`  ${state.includeLine}`);
    io.line(`Without it: ssh -F ${state.configFile} <host>`);
  }
  if (state.aliases.length === 0) {
    io.line('No cluster can be reached by ssh at the moment.');
  } else {
    state.aliases.forEach(alias => io.line(`ssh ${alias}`));
  }
  return EXIT.ok;
}

async function write(
  { io, session }: Context,
  file: string | undefined,
  { yes, json }: { readonly yes: boolean; readonly json: boolean },
): Promise<ExitCode> {
  const { api } = await session();
  const asked = file === undefined ? {} : { file };
  const state = await api.ssh.config(asked);
  if (!state.included) {
    if (!yes && (json || !io.interactive)) {
      throw new CommandFailure(
        EXIT.declined,
        'CONFLICT',
        `${state.userFile} is yours, and was not changed without asking you.`,
        {
          next: 'Add --yes to have the line written.',
        },
      );
    }
    if (!yes) {
      io.note(`This line goes to the top of ${state.userFile}; nothing else of it changes:`);
      io.note(`  ${state.includeLine}`);
      if (!(await confirm(io, 'Write it?'))) {
        throw new CommandFailure(EXIT.declined, 'CONFLICT', 'Nothing was written.');
      }
    }
  }
  return show(io, await api.ssh.include({ ...asked, yes: true }), json);
}

export const addSshConfig = defineCommand({
  usage: 'ssh-config',
  summary: 'make ssh, scp and editors find your clusters as hitch-<cluster>',
  examples: [
    ['hitch ssh-config', 'show which clusters ssh can reach, and whether it is set up'],
    ['hitch ssh-config write', 'add one Include line at the top of ~/.ssh/config (asks first)'],
    ['hitch ssh-config remove', 'remove that line'],
    ['scp data.zip hitch-llm-dev:', 'then this works: copies the file into the work folder'],
  ],
  options: command =>
    command
      .addArgument(new Argument('[action]', `${ACTIONS.join(', ')}; default: show`))
      .option('--file <path>', 'another file than ~/.ssh/config')
      .option('--yes', 'write without asking'),
  schema: z.object({
    action: oneOf(ACTIONS).default('show'),
    file: z.string().min(1, 'must be a path').optional(),
    yes: z.boolean().default(false),
    json: z.boolean().default(false),
  }),
  run: async (context, { action, yes, json, ...input }) => {
    const file = input.file === undefined ? undefined : resolve(context.cwd, input.file);
    if (action === 'write') {
      return write(context, file, { yes, json });
    }
    const { api } = await context.session();
    const asked = file === undefined ? {} : { file };
    return show(
      context.io,
      action === 'show' ? await api.ssh.config(asked) : await api.ssh.exclude({ ...asked, yes: true }),
      json,
    );
  },
});
