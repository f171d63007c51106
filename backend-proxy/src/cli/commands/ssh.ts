/** `hitch ssh`: the terminal on a cluster that stays when one leaves. */
import { shownName } from '@hitch/contract';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { attachTerminal, DETACH_KEY_NAME } from '../terminal/attach.ts';
import { openTerminalSocket } from '@hitch/client-node/src/terminal-socket.ts';
import { clusterRef } from '../values.ts';

export const addSsh = defineCommand({
  usage: 'ssh <cluster>',
  summary: `open a terminal on a cluster (${DETACH_KEY_NAME} leaves it running)`,
  examples: [
    ['hitch ssh llm-dev', 'open it, or come back to it; programs keep running in between'],
    ['hitch ssh llm-dev --terminal 2', 'another one'],
    ['hitch ssh llm-dev --list --json', 'the open terminals'],
  ],
  options: command =>
    command.option('--terminal <name>', 'its name (default: 1)').option('--list', 'list them instead'),
  schema: z.object({
    cluster: clusterRef,
    terminal: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,40}$/, 'must be 1 to 40 letters, digits, - or _')
      .default('1'),
    list: z.boolean().default(false),
    json: z.boolean().default(false),
  }),
  run: async (context, input) => {
    const { io } = context;
    const session = await context.session();
    const { id: clusterId, name } = await findCluster(session.api, input.cluster);
    const terminals = await session.api.terminals.list({ clusterId });
    if (input.list || input.json) {
      if (input.json) {
        io.json(terminals);
      } else {
        terminals.forEach(terminal => io.line(shownName(terminal.name)));
      }
      return EXIT.ok;
    }
    if (!io.interactive || io.stdin.setRawMode === undefined) {
      throw new CommandFailure(EXIT.usage, 'BAD_INPUT', 'hitch ssh needs a terminal.', {
        next: `To run something from a script: hitch run ${name} -c "!command"`,
      });
    }
    const exists = terminals.some(terminal => terminal.name === input.terminal);
    if (!exists) {
      await session.api.terminals.create({ clusterId, name: input.terminal });
    }
    io.note(`Terminal ${input.terminal} on ${name}. ${DETACH_KEY_NAME} leaves it running; exit ends it.`);
    const path = `/clusters/${clusterId}/terminals/${encodeURIComponent(input.terminal)}/socket`;
    const end = await attachTerminal(io, openTerminalSocket(session, path), context.clock);
    io.note(
      end === 'detached'
        ? `Left terminal ${input.terminal} running. Come back with hitch ssh ${name}.`
        : 'The terminal has ended.',
    );
    return EXIT.ok;
  },
});
