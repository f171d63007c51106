/** `hitch daemon`: the one background process. */
import { Argument } from 'commander';
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { oneOf } from '../values.ts';

const ACTIONS = ['start', 'stop', 'status'] as const;

async function showStatus({ io, daemons }: Context, json: boolean): Promise<ExitCode> {
  const status = await daemons.status();
  if (json) {
    io.json(status);
  } else if (status.running) {
    io.line(
      `The daemon runs: version ${status.version ?? '?'}, process ${status.pid ?? 0}, http://127.0.0.1:${status.port ?? 0}, ${status.home}`,
    );
  } else {
    io.line(`No daemon runs for ${status.home}. Any hitch command starts it.`);
  }
  return status.running ? EXIT.ok : EXIT.daemon;
}

async function stop({ io, daemons }: Context, json: boolean): Promise<ExitCode> {
  const stopped = await daemons.stop();
  if (json) {
    io.json({ stopped });
  } else {
    io.line(
      stopped
        ? 'The daemon has stopped. Clusters keep running within their stop limits; the next hitch command looks after them again.'
        : 'No daemon was running.',
    );
  }
  return EXIT.ok;
}

export const addDaemon = defineCommand({
  usage: 'daemon',
  summary: 'start, stop or show Hitch’s background process',
  examples: [
    ['hitch daemon', 'start it in the background if it does not run'],
    ['hitch daemon --foreground', 'run it in this terminal, until Ctrl-C'],
    ['hitch daemon status', 'show where it listens; exit code 8 if it does not run'],
    ['hitch daemon stop', 'end it; clusters keep running'],
  ],
  options: command =>
    command
      .addArgument(new Argument('[action]', `${ACTIONS.join(', ')}; default: start`))
      .option('--foreground', 'run in this process instead of the background'),
  schema: z.object({
    action: oneOf(ACTIONS).default('start'),
    foreground: z.boolean().default(false),
    json: z.boolean().default(false),
  }),
  run: async (context, { action, foreground, json }) => {
    if (action === 'stop') {
      return stop(context, json);
    }
    if (action === 'start') {
      if (foreground) {
        await context.daemons.runForeground();
        return EXIT.ok;
      }
      await context.session();
    }
    return showStatus(context, json);
  },
});
