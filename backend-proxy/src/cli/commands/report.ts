/** `hitch report`: a file to add to the report of a problem. */
import { resolve, join } from 'node:path';
import { existsSync } from 'node:fs';
import { endOf, problemReport } from '@hitch/client-node/src/report/problem-report.ts';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { homeFromEnvironment } from '@hitch/platform/src/paths.ts';
import { VERSION } from '@hitch/platform/src/version.ts';
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { badInput, CommandFailure, describeFailure } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { confirm } from '../screen/prompt.ts';
import { checks } from './doctor.ts';

function sentence(error: unknown): string {
  const { message, next } = describeFailure(error).envelope;
  return next === undefined ? message : `${message} ${next}`;
}

/** Also where no daemon can be reached: that may be what is reported. */
async function reportOf({ session, env, clock }: Context) {
  const api = await session().then(
    ({ api: found }) => found,
    () => null,
  );
  const known = api === null ? null : await api.clusters.list().catch(() => null);
  const { logs } = homeFromEnvironment(env);
  return problemReport({
    api: () => {
      if (api === null) {
        throw new Error('no daemon was reached');
      }
      return api;
    },
    clusters: known,
    doctor: () => checks({ session }),
    client: {
      app: 'hitch',
      version: VERSION,
      node: process.version,
      platform: process.platform,
      arch: process.arch,
    },
    logs: { daemon: endOf(join(logs, 'daemon.log')), start: endOf(join(logs, 'daemon.out')) },
    nowMs: clock.now(),
    sentence,
  });
}

export const addReport = defineCommand({
  usage: 'report [file]',
  summary: 'write a file to add to the report of a problem; nothing is sent',
  examples: [
    ['hitch report', 'show what is in it, ask, and write hitch-report.json'],
    ['hitch report problem.json', 'another name'],
    ['hitch report --json', 'print all of it, and write nothing'],
  ],
  schema: z.object({
    file: z.string().min(1).default('hitch-report.json'),
    json: z.boolean().default(false),
  }),
  run: async (context, { file, json }) => {
    const { io, cwd } = context;
    const target = resolve(cwd, file);
    if (!json && existsSync(target)) {
      throw badInput(`${target} is there already.`, 'Name another file: hitch report FILE.');
    }
    const { text, contents } = await reportOf(context);
    if (json) {
      io.json(JSON.parse(text));
      return EXIT.ok;
    }
    io.line('In the report:');
    contents.forEach(line => io.line(`  ${line}`));
    io.line('Keys, tokens, names and your home folder are taken out of all of it. Nothing is sent anywhere.');
    if (io.interactive && !(await confirm(io, `Write it to ${target}?`))) {
      throw new CommandFailure(EXIT.declined, 'CONFLICT', 'Nothing was written.');
    }
    writeFileAtomic(target, text);
    io.line(`Written to ${target}. Read it before you pass it on.`);
    return EXIT.ok;
  },
});
