/** `hitch logs`: the end of a node's logs, and what comes. */
import { type Cluster, format, HitchError, type NodeId } from '@hitch/contract';
import { LogText } from '@hitch/contract/src/log-words.ts';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { interruptible, InterruptedError } from '../interrupts.ts';
import { logStep } from '../screen/log-follow.ts';
import { clusterRef, oneOf, wholeNumber } from '../values.ts';

const LOG_NAMES = ['agent', 'jupyter', 'ray', 'bootstrap'] as const;
const LOOK_AGAIN_MS = 1000;
const MOST_BYTES = 1_000_000;

interface Log {
  readonly cluster: Cluster;
  readonly nodeId: NodeId | undefined;
  readonly name: (typeof LOG_NAMES)[number];
}

function nodeOf(cluster: Cluster, index: number | undefined): NodeId | undefined {
  if (index === undefined) {
    return undefined;
  }
  const node = cluster.nodes.find(candidate => candidate.index === index);
  if (node === undefined) {
    const last = cluster.nodes.length - 1;
    throw new HitchError('NOT_FOUND', `${cluster.name} has no node ${index}; its nodes are 0 to ${last}.`);
  }
  return node.id;
}

async function read(context: Context, { cluster, nodeId, name }: Log, bytes: number): Promise<string> {
  const { api } = await context.session();
  const node = nodeId === undefined ? {} : { nodeId };
  const { text } = await api.clusters.logs({ clusterId: cluster.id, ...node, name, bytes });
  return text;
}

async function follow(
  context: Context,
  log: Log,
  first: string,
  write: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let seen = first;
  for (;;) {
    await context.clock.sleep(LOOK_AGAIN_MS, signal);
    const next = await read(context, log, MOST_BYTES);
    const { added, gap } = logStep(seen, next);
    if (gap) {
      context.io.note('… the log grew faster than it could be read; some lines are missing here');
    }
    if (added !== '') {
      write(added);
    }
    seen = next;
  }
}

export const addLogs = defineCommand({
  usage: 'logs <cluster>',
  summary: 'show the end of a machine’s logs',
  examples: [
    ['hitch logs llm-dev', 'the end of the agent’s log on the head'],
    ['hitch logs llm-dev --name ray --node 1 -f', "Ray's log on node 1, followed until Ctrl-C"],
  ],
  options: command =>
    command
      .option('-f, --follow', 'keep printing new lines (Ctrl-C to stop)')
      .option('--name <log>', `which log: ${LOG_NAMES.join(', ')} (default: agent)`)
      .option('--node <index>', 'which machine; 0 is the head (default)')
      .option('--bytes <count>', 'how much of the end to show (default: 20000)'),
  schema: z.object({
    cluster: clusterRef,
    follow: z.boolean().default(false),
    name: oneOf(LOG_NAMES).default('agent'),
    node: wholeNumber(0, 1000).optional(),
    bytes: wholeNumber(1, MOST_BYTES).default(20_000),
    json: z.boolean().default(false),
  }),
  run: async (context, input) => {
    const { io } = context;
    const { api } = await context.session();
    const cluster = await findCluster(api, input.cluster);
    const log: Log = { cluster, nodeId: nodeOf(cluster, input.node), name: input.name };
    const lines = new LogText();
    const write = (text: string): void => {
      if (input.json) {
        io.jsonLine({ cluster: cluster.name, node: input.node ?? 0, log: input.name, text });
      } else {
        io.output(lines.write(text));
      }
    };
    const text = await read(context, log, input.follow ? MOST_BYTES : input.bytes);
    // Of a log that is exactly as long nobody can say it.
    if (Buffer.byteLength(text) >= input.bytes) {
      const more = input.bytes < MOST_BYTES ? `; --bytes ${MOST_BYTES.toString()} shows more` : '';
      io.note(`… only the last ${format.bytes(input.bytes)} of this log${more}`);
    }
    write(text.slice(-input.bytes));
    if (input.follow) {
      try {
        await interruptible(context.interrupts, signal => follow(context, log, text, write, signal));
      } catch (error) {
        // Ctrl-C is how one leaves a followed log.
        if (!(error instanceof InterruptedError)) throw error;
      }
    }
    if (!input.json) {
      io.output(lines.end());
    }
    io.endOutput();
    return EXIT.ok;
  },
});
