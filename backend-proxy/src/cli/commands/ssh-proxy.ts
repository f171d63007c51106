/** `hitch ssh-proxy`, as the help knows it. It runs before commands are loaded; see main.ts. */
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';

export const addSshProxy = defineCommand({
  usage: 'ssh-proxy <host>',
  hidden: true,
  summary: 'the program that ssh runs to reach a cluster',
  examples: [
    ['ssh -o ProxyCommand="hitch ssh-proxy %n" hitch-llm-dev', 'as Hitch’s own ssh configuration says it'],
  ],
  schema: z.object({ host: z.string(), json: z.boolean().default(false) }),
  run: async () => {
    throw new CommandFailure(
      EXIT.usage,
      'BAD_INPUT',
      'hitch ssh-proxy takes one host, such as hitch-llm-dev.',
    );
  },
});
