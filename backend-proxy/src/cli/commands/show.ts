/** `hitch show`: one cluster, all that is known. */
import {
  CONDITIONS,
  format,
  shownName,
  type Cluster,
  type ClusterEvent,
  type Kernel,
  type Node,
  type Signals,
} from '@hitch/contract';
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

function writeNode(node: Node, { io }: Context): void {
  const signals = node.signals;
  const use = signals === null ? '' : `  ${[machineUse(signals), ...signals.gpus.map(gpuUse)].join(', ')}`;
  const role = node.index === 0 ? 'head' : 'worker';
  const said = node.message === '' ? '' : `, ${node.message}`;
  io.line(`  ${node.index} ${role}  ${shownName(node.title)}  ${node.phase}${said}${use}`);
  node.attempts.forEach(({ offerId, state, message }) =>
    io.line(io.style('dim', `      offer ${offerId}: ${state}${message === '' ? '' : `, ${message}`}`)),
  );
}

function conditionLines(cluster: Cluster): string[] {
  return CONDITIONS.map(name => {
    const { status, message, reason } = cluster.conditions[name];
    const why = message === '' ? reason : message;
    return `  ${name.padEnd(8)} ${status}${why === '' ? '' : `  ${why}`}`;
  });
}

function moneyLine(cluster: Cluster): string {
  const { committedMicroUsd, capMicroUsd, ratePerHourMicroUsd } = cluster.usage;
  const show = format.dollars;
  const stop = cluster.caps.stopAtMs === null ? '' : `, stops ${format.clock(cluster.caps.stopAtMs)}`;
  const idle =
    cluster.caps.idleMs === null ? '' : `, or ${Math.round(cluster.caps.idleMs / 60_000)} min idle`;
  return `${show(format.costOfRun(cluster.usage))} of ${show(capMicroUsd)} spent, ${show(committedMicroUsd)} committed, ${show(ratePerHourMicroUsd)}/h${stop}${idle}`;
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
  heading('Conditions');
  conditionLines(cluster).forEach(line => io.line(line));
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
  events.forEach(({ atMs, kind, value, message }) =>
    io.line(`  ${showSecond(atMs)}  ${kind.padEnd(9)} ${value}${message === '' ? '' : `  ${message}`}`),
  );
}

export const addShow = defineCommand({
  usage: 'show <cluster>',
  summary: 'one cluster: nodes, money, kernels, events',
  examples: [
    ['hitch show llm-dev', 'everything about one cluster'],
    ['hitch show llm-dev --json', 'the same, with its kernels and last events, for a script'],
  ],
  options: command => command.option('--events <count>', 'last events to show'),
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
