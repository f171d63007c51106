/** Sends what a job needs from this computer before it begins: the folder that its file lies in, or that one stands in. */
import {
  accountLines,
  type Cluster,
  type Conflict,
  type Copy,
  errorFromEnvelope,
  format,
  HitchError,
  isCopyOver,
  missingWords,
  progressWords,
  runCopy,
} from '@hitch/contract';
import { homedir } from 'node:os';
import { basename, parse } from 'node:path';
import type { Context } from '../context.ts';
import { interruptible } from '../interrupts.ts';
import { LiveLine } from '../screen/live-line.ts';

/** @returns the folder of the work folder that it is now. @throws HitchError where nothing should be sent, or not all was. */
export async function sendFolder(
  context: Context,
  cluster: Cluster,
  folder: string,
  { conflict, json }: { conflict: Conflict; json: boolean },
): Promise<string> {
  const { io, clock } = context;
  if (folder === homedir() || folder === parse(folder).root) {
    throw new HitchError(
      'BAD_INPUT',
      `A job sends the folder that it is in, and ${folder} is too much to send.`,
      {
        next: 'Go to the folder of your code, or add --no-send and send what it needs with hitch cp.',
      },
    );
  }
  const target = basename(folder);
  const { api } = await context.session();
  const live = new LiveLine(io);
  const startedAt = clock.monotonic();
  const copy: Copy = await interruptible(context.interrupts, signal =>
    runCopy({
      api,
      signal,
      sleep: (ms, until) => clock.sleep(ms, until),
      start: () =>
        api.copies.start({
          clusterId: cluster.id,
          direction: 'send',
          sources: [folder],
          target,
          intoFolder: false,
          conflict,
          all: false,
        }),
      ask: () => Promise.resolve(conflict),
      onState: news => {
        if (!json && !isCopyOver(news)) {
          live.show(format.elapsed(clock.monotonic() - startedAt), progressWords(news), news.state);
        }
      },
    }),
  ).finally(() => live.clear());
  if (copy.problem !== null) {
    throw errorFromEnvelope(copy.problem);
  }
  if (json) {
    io.jsonLine({ type: 'copy', copy });
  } else {
    const [amount = '', ...rest] = accountLines(copy.account);
    io.note(`Sent ${folder} to ~/work/${target}: ${amount}.`);
    rest.forEach(line => io.note(`  ${line}`));
  }
  if (missingWords(copy.account, copy.problem) !== null) {
    throw new HitchError('CONFLICT', 'Not all of the folder could be sent, so the job was not started.', {
      next: 'See what is missing above, or add --no-send.',
    });
  }
  return target;
}
