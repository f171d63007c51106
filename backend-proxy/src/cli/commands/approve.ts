/** `hitch approve`: a person's yes, in a terminal, to what a page asked for. */
import { type Approval, HitchError } from '@hitch/contract';
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { confirm } from '../screen/prompt.ts';

/** @throws HitchError NOT_FOUND or BAD_INPUT, with what waits. */
function choose(waiting: readonly Approval[], code: string | undefined): Approval {
  const [first] = waiting;
  if (first === undefined) {
    throw new HitchError('NOT_FOUND', 'No request is waiting for approval.', {
      next: 'Rent or extend in JupyterLab first; a request waits ten minutes.',
    });
  }
  if (code === undefined && waiting.length === 1) {
    return first;
  }
  const found = waiting.find(other => other.code === code?.toLowerCase());
  if (found === undefined) {
    const list = waiting.map(other => `${other.code} (${other.lines[0] ?? ''})`).join(', ');
    throw code === undefined
      ? new HitchError('BAD_INPUT', `${waiting.length.toString()} requests are waiting: ${list}`, {
          next: 'Name one: hitch approve <code>.',
        })
      : new HitchError('NOT_FOUND', `No request with the code ${code} is waiting. There is: ${list}`);
  }
  return found;
}

async function isYes({ io }: Context, { lines, yes }: Approval): Promise<boolean> {
  io.line('A page in a browser asks for this. Nothing is spent unless you approve.');
  lines.forEach((line, index) => io.line(index === 0 ? io.style('bold', line) : line));
  return confirm(io, `${yes}?`);
}

export const addApprove = defineCommand({
  usage: 'approve [code]',
  summary: 'approve or decline a request from a page such as JupyterLab',
  examples: [
    ['hitch approve', 'show the waiting request, and ask'],
    ['hitch approve a3f0', 'the request with the code that JupyterLab shows'],
  ],
  schema: z.object({ code: z.string().max(40).optional(), json: z.boolean().default(false) }),
  run: async (context, { code, json }) => {
    const { io, session } = context;
    const { api } = await session();
    const waiting = await api.approvals.list();
    const approval = choose(waiting, code);
    if (json || !io.interactive) {
      throw new CommandFailure(
        EXIT.declined,
        'BAD_INPUT',
        'This needs a person, and there is no terminal to ask in.',
        { next: 'Run hitch approve in a terminal, without --json.' },
      );
    }
    const yes = await isYes(context, approval);
    const { state, problem } = await api.approvals.answer({ approvalId: approval.id, yes });
    if (!yes) {
      throw new CommandFailure(EXIT.declined, 'CONFLICT', 'Nothing was spent.');
    }
    if (problem !== null) {
      const { code: kind, message, next } = problem;
      throw new HitchError(kind, message, next === undefined ? {} : { next });
    }
    io.line(state === 'done' ? 'Done. See it with hitch ls.' : 'In progress. See hitch ls.');
    return EXIT.ok;
  },
});
