/** `hitch ws-connect`, as the help knows it. It runs before commands are loaded; see main.ts. */
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';

export const addWsConnect = defineCommand({
  usage: 'ws-connect <address> <file>',
  hidden: true,
  summary: 'the program that ssh runs to reach a machine by a web address',
  examples: [
    [
      'ssh -o ProxyCommand="hitch ws-connect https://name.example token" root@name.example',
      'as the daemon itself starts ssh; the token stands in a file',
    ],
  ],
  schema: z.object({ address: z.string(), file: z.string(), json: z.boolean().default(false) }),
  run: async () => {
    throw new CommandFailure(
      EXIT.usage,
      'BAD_INPUT',
      'hitch ws-connect takes an https address and a file with the machine’s token.',
    );
  },
});
