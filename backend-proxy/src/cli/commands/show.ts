/** `hitch show`: one cluster, all that is known. */
import {
  comesBackWords,
  costInAll,
  format,
  isOver,
  rateWords,
  shownName,
  waitWords,
  type Cluster,
  type ClusterEvent,
  type Kernel,
  type Node,
  type Signals,
} from '@hitch/contract';
import {
  attemptWords,
  conditionWords,
  eventWords,
  nodePhaseWords,
  tellingEvents,
  withWords,
} from '@hitch/contract/src/event-words.ts';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { kernelStateText } from './kernels.ts';
import { lineWriter } from '../line-writer.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { showSecond } from '../screen/times.ts';
import { clusterRef } from '../values.ts';

const MOST_EVENTS = 1_000;

function machineUse({ cpuPercent, memoryUsedMiB, memoryTotalMiB }: Signals): string {
  return `CPU ${Math.round(cpuPercent)} %, ${Math.round(memoryUsedMiB / 1024)}/${format.gigabytes(memoryTotalMiB)}`;
}

function gpuUse({ utilizationPercent, vramUsedMiB, vramTotalMiB }: Signals['gpus'][number]): string {
  const use = `GPU ${utilizationPercent === null ? '?' : Math.round(utilizationPercent)} %`;
  return vramUsedMiB === null || vramTotalMiB === null
    ? use
    : `${use} ${Math.round(vramUsedMiB / 1024)}/${format.gigabytes(vramTotalMiB)} VRAM`;
}

function writeNode(node: Node, { io, clock }: Context): void {
  const signals = node.signals;
  const use = signals === null ? '' : `  ${[machineUse(signals), ...signals.gpus.map(gpuUse)].join(', ')}`;
  const role = node.index === 0 ? 'head' : 'worker';
  const said = withWords(nodePhaseWords(node.phase), waitWords(node, clock.now()) ?? node.message);
  io.line(`  ${node.index} ${role}  ${shownName(node.title)}  ${said}${use}`);
  if (node.machine !== undefined) {
    io.line(io.style('dim', `      ${node.machine.says}`));
    node.machine.warnings.forEach(warning => io.line(`      ⚠ ${warning}`));
  }
  node.attempts.forEach(({ offerId, state, message }) =>
    io.line(io.style('dim', `      offer ${offerId}: ${withWords(attemptWords(state), message)}`)),
  );
}

/** `$0.02 of $2.00 spent at $0.42/h; stops at $2.00, at 18:10 or after 30 min idle`. */
function moneyLine(cluster: Cluster): string {
  if (isOver(cluster)) {
    return costInAll(cluster.usage);
  }
  const { usage, caps } = cluster;
  const cap = format.dollars(usage.capMicroUsd);
  const ends = [
    `at ${cap}`,
    ...(caps.stopAtMs === null ? [] : [`at ${format.clock(caps.stopAtMs)}`]),
    ...(caps.idleMs === null ? [] : [`after ${format.duration(caps.idleMs)} idle`]),
  ];
  const back = comesBackWords(usage);
  const last = ends.pop() ?? '';
  const stops = ends.length === 0 ? last : `${ends.join(', ')} or ${last}`;
  return `${format.dollars(format.costOfRun(usage))} of ${cap} spent at ${rateWords(usage)}${back === null ? '' : `; ${back}`}; stops ${stops}`;
}

/** Which node or purchase an event is about, where there are several. */
function whereOf({ nodes }: Cluster, { nodeId }: ClusterEvent): string {
  const node = nodes.length < 2 ? undefined : nodes.find(({ id }) => id === nodeId);
  return node === undefined ? '' : `node ${node.index.toString()}: `;
}

function write(
  context: Context,
  cluster: Cluster,
  line: string,
  kernels: readonly Kernel[],
  events: readonly ClusterEvent[],
): void {
  const { io } = context;
  const heading = (text: string): void => io.line(io.style('bold', text));
  heading(`${cluster.name}${cluster.practice ? ' (practice)' : ''}`);
  io.line(line);
  if (cluster.message !== '') {
    io.line(cluster.message);
  }
  io.line(moneyLine(cluster));
  io.line(io.style('dim', cluster.id));
  heading('Nodes');
  cluster.nodes.forEach(node => writeNode(node, context));
  heading('State');
  conditionWords(cluster).forEach(words => io.line(`  ${words}`));
  if (kernels.length > 0) {
    heading('Kernels');
    kernels.forEach(({ id, name, state, path }) =>
      io.line(`  ${id}  ${shownName(name)}  ${kernelStateText(state)}  ${shownName(path ?? '')}`.trimEnd()),
    );
    io.line(io.style('dim', `  Follow, interrupt or end one: hitch kernels ${cluster.name}`));
  }
  if (cluster.saved.length > 0) {
    heading('Saved');
    cluster.saved.forEach(path => io.line(`  ${shownName(path)}`));
  }
  heading('Events');
  const before = (events[0]?.seq ?? cluster.lastEventSeq + 1) - 1;
  if (before > 0) {
    const most = Math.min(MOST_EVENTS, cluster.lastEventSeq).toString();
    const all = events.length < MOST_EVENTS ? `: hitch show ${cluster.name} --events ${most}` : '';
    io.line(io.style('dim', `  ${before.toString()} earlier${all}`));
  }
  const lines = tellingEvents(events).map(
    event =>
      `  ${showSecond(event.atMs)}  ${whereOf(cluster, event)}${withWords(eventWords(event), event.message)}`,
  );
  // A cluster of one machine goes through its machine's phases.
  lines.filter((line, index) => line !== lines[index - 1]).forEach(line => io.line(line));
}

export const addShow = defineCommand({
  usage: 'show <cluster>',
  summary: 'show one cluster: machines, cost, kernels, what happened',
  examples: [
    ['hitch show llm-dev', 'everything about one cluster'],
    ['hitch show llm-dev --json', 'the same, with its kernels and last events, for a script'],
  ],
  options: command => command.option('--events <count>', 'how many of the last events to show (15)'),
  schema: z.object({
    cluster: clusterRef,
    events: z.coerce.number().int().min(0).max(MOST_EVENTS).default(15),
    json: z.boolean().default(false),
  }),
  run: async (context, input) => {
    const { api } = await context.session();
    const cluster = await findCluster(api, input.cluster);
    const clusterId = cluster.id;
    // A cluster without a head that answers has no kernels to list; that is no failure of this command.
    const kernels =
      cluster.conditions.kernel.status === 'yes' ? await api.kernels.list({ clusterId }).catch(() => []) : [];
    const events = await api.clusters.events({
      clusterId,
      afterSeq: Math.max(0, cluster.lastEventSeq - input.events),
      limit: Math.max(1, input.events),
    });
    const line = (await lineWriter(api))(cluster, context.clock.now());
    if (input.json) {
      context.io.json({ ...cluster, kernels, events });
    } else {
      write(context, cluster, line, kernels, events);
    }
    return EXIT.ok;
  },
});
