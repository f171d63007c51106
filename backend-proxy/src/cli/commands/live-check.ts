/** `hitch live-check`: rents one machine for real, uses it, ends it, and records what the network said. */
import {
  type BillCheck,
  type CheckedRecording,
  format,
  HitchError,
  type NetworkInfo,
  parseMicroUsd,
  type Quote,
  type Recording,
} from '@hitch/contract';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { resolve } from 'node:path';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { CommandFailure, describeFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { affordable, CHECK_MS, checkable } from '../live-check/choose.ts';
import { billNotes, checkOf, readRecording } from '../live-check/report.ts';
import { rentAndEnd } from '../live-check/work.ts';
import { confirm } from '../screen/prompt.ts';
import { clusterRef, dollars } from '../values.ts';
import { showQuote } from './order.ts';

const schema = z
  .object({
    network: z.string(),
    max: dollars.optional(),
    yes: z.boolean().default(false),
    file: z.string().optional(),
    bill: clusterRef.optional(),
    json: z.boolean().default(false),
  })
  .refine(({ max, bill }) => max !== undefined || bill !== undefined, {
    path: ['max'],
    message: 'say what the check may cost at most, such as --max 0.30',
  });
type Input = z.output<typeof schema>;

async function liveCheck(context: Context, input: Input): Promise<ExitCode> {
  const { api } = await context.session();
  const network = checkable(await api.networks.list(), input.network);
  if (input.bill !== undefined) {
    return lookAtBill(context, input, network, input.bill);
  }
  const most = parseMicroUsd(input.max ?? '0');
  const offers = await affordable(api, network, most);
  const quote = await api.quotes.create({
    offerIds: offers.map(({ id }) => id),
    engine: 'single',
    nodes: 1,
    capMicroUsd: input.max ?? '0',
    stopAtMs: context.clock.now() + CHECK_MS,
    idleMs: 0,
  });
  showQuote(context, quote, input.json);
  await agree(context, input, network);
  await api.networks.record({ provider: network.id });
  const worked = await rentAndEnd(context, quote, input.json);
  const { recording, lost } = await recorded(context, network);
  const bill = worked.cluster === null ? null : await billOf(context, network, worked.cluster.id);
  const check = checkOf(quote, worked, bill);
  const notes = [...check.notes, ...(lost === null ? [] : [lost])];
  const path =
    recording === null
      ? null
      : write(
          context,
          input,
          { id: network.id, name: worked.cluster?.name ?? 'nothing' },
          { ...recording, check },
        );
  report(context, input, { quote, notes, path, name: worked.cluster?.name ?? null, network });
  if (check.outcome === 'failed') {
    throw new CommandFailure(
      EXIT.clusterFailed,
      'PROVIDER_ERROR',
      `${network.title}: the check failed. ${worked.problem ?? ''}`,
      {
        next: 'What the network said is in the file above: hand it in with what you saw.',
      },
    );
  }
  return lost === null ? EXIT.ok : EXIT.notAll;
}

async function agree({ io }: Context, { yes, max, json }: Input, { title }: NetworkInfo): Promise<void> {
  const most = format.dollars(max ?? '0');
  if (!json) {
    io.line(
      `This rents that machine of ${title} with your account, runs one cell on it, ends it and waits until it is gone.`,
    );
    io.line(
      `It costs at most ${most}: at that, or after ${(CHECK_MS / 60_000).toString()} minutes, it ends in any case.`,
    );
    io.line('What is asked and answered is recorded on this computer, without keys, addresses and names.');
  }
  if (yes) {
    return;
  }
  if (json || !io.interactive) {
    throw new CommandFailure(
      EXIT.declined,
      'BAD_INPUT',
      'A live check costs money and needs your approval, and there is no terminal to ask in; nothing was rented.',
      { next: 'Add --yes.' },
    );
  }
  if (!(await confirm(io, `Check ${title} for up to ${most}?`))) {
    throw new CommandFailure(EXIT.declined, 'CONFLICT', 'Nothing was rented.');
  }
}

interface Kept {
  readonly recording: Recording | null;
  /** Why there is none, a sentence. */
  readonly lost: string | null;
}

async function recorded(context: Context, { id }: NetworkInfo): Promise<Kept> {
  const { api } = await context.session();
  try {
    return { recording: await api.networks.recorded({ provider: id }), lost: null };
  } catch (error) {
    if (error instanceof HitchError && error.code === 'CONFLICT') {
      return { recording: null, lost: error.message };
    }
    throw error;
  }
}

/** Null: the network says nothing of it, or not now. */
async function billOf(context: Context, { id }: NetworkInfo, clusterId: string): Promise<BillCheck | null> {
  const { api } = await context.session();
  const bills = await api.networks.bills({ provider: id }).catch((error: unknown) => {
    context.io.note(describeFailure(error).envelope.message);
    return [];
  });
  return bills.find(bill => bill.clusterId === clusterId) ?? null;
}

function write(
  { cwd }: Context,
  { file }: Input,
  { id, name }: { readonly id: string; readonly name: string },
  recording: CheckedRecording,
): string {
  const path = resolve(cwd, file ?? `hitch-live-check-${id}-${name}.json`);
  writeFileAtomic(path, `${JSON.stringify(recording, null, 2)}\n`, 0o600);
  return path;
}

interface Found {
  readonly quote: Quote | null;
  readonly notes: readonly string[];
  readonly path: string | null;
  readonly name: string | null;
  readonly network: NetworkInfo;
}

function report({ io }: Context, { json }: Input, { notes, path, name, network }: Found): void {
  if (json) {
    io.jsonLine({ type: 'checked', network: network.id, cluster: name, notes, file: path });
    return;
  }
  notes.forEach(note => io.line(note));
  if (path !== null) {
    io.line(`Recorded in ${path}. Look through it before you hand it in.`);
  }
  if (name !== null) {
    io.line(
      `A bill may come later: hitch live-check ${network.id} --bill ${name}${path === null ? '' : ` --file ${path}`}`,
    );
  }
}

/** A bill that was not there yet, asked for again. */
async function lookAtBill(
  context: Context,
  input: Input,
  network: NetworkInfo,
  nameOrId: string,
): Promise<ExitCode> {
  const { api } = await context.session();
  const cluster = await findCluster(api, nameOrId);
  const before = input.file === undefined ? null : readRecording(resolve(context.cwd, input.file));
  const bill = await billOf(context, network, cluster.id);
  const notes = billNotes(parseMicroUsd(cluster.usage.accruedMicroUsd), bill);
  const path =
    before === null
      ? null
      : write(
          context,
          input,
          { id: network.id, name: cluster.name },
          {
            ...before,
            check: {
              ...before.check,
              billedMicroUsd: bill?.billedMicroUsd ?? null,
              notes: [...before.check.notes, ...notes],
            },
          },
        );
  report(context, input, { quote: null, notes, path, name: null, network });
  return EXIT.ok;
}

export const addLiveCheck = defineCommand({
  usage: 'live-check <network>',
  summary: 'rent one machine for real, use it, end it, and record what the network says',
  examples: [
    ['hitch live-check vast --max 0.30', 'shows what it rents and the most it costs, and asks first'],
    ['hitch live-check vast --max 0.30 --yes --json', 'for scripts'],
    ['hitch live-check vast --bill light-jackal', 'ask for the bill of a check that was made before'],
  ],
  options: command =>
    command
      .option('--max <dollars>', 'the most that the whole check may cost')
      .option('-y, --yes', 'do not ask')
      .option('--file <path>', 'where the recording goes')
      .option('--bill <cluster>', 'rent nothing, and ask what was billed for a check of before'),
  schema,
  run: liveCheck,
});
