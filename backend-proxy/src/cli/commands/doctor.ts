/** `hitch doctor`: is this computer fit, and what to do where it is not. */
import type { DoctorCheck } from '@hitch/contract';
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import { describeFailure } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { Context } from '../context.ts';
import type { Style } from '../screen/io.ts';

const MARK: Record<DoctorCheck['status'], readonly [string, Style]> = {
  ok: ['✓', 'green'],
  warning: ['⚠', 'yellow'],
  problem: ['✗', 'red'],
};

/** A daemon that cannot be reached is itself a finding. */
export async function checks({ session }: Pick<Context, 'session'>): Promise<readonly DoctorCheck[]> {
  try {
    const { api } = await session();
    const { version, pid } = await api.daemon.info();
    const daemon: DoctorCheck = {
      name: 'daemon',
      status: 'ok',
      message: `Runs, version ${version}, process ${pid}.`,
      next: null,
    };
    return [daemon, ...(await api.daemon.doctor())];
  } catch (error) {
    const { message, next } = describeFailure(error).envelope;
    return [{ name: 'daemon', status: 'problem', message, next: next ?? null }];
  }
}

export const addDoctor = defineCommand({
  usage: 'doctor',
  summary: 'check this computer for problems',
  examples: [
    ['hitch doctor', 'all checks'],
    ['hitch doctor --json', 'for programs; for a bug report, see hitch report'],
  ],
  schema: z.object({ json: z.boolean().default(false) }),
  run: async (context, input) => {
    const { io } = context;
    const found = await checks(context);
    if (input.json) {
      io.json(found);
    } else {
      const width = Math.max(...found.map(({ name }) => name.length));
      for (const { name, status, message, next } of found) {
        const [mark, style] = MARK[status];
        io.line(io.style(style, mark), ` ${name.padEnd(width)}  ${message}`);
        if (next !== null && status !== 'ok') {
          io.line(`${' '.repeat(width + 4)}${next}`);
        }
      }
    }
    return found.some(({ status }) => status === 'problem') ? EXIT.clusterFailed : EXIT.ok;
  },
});
