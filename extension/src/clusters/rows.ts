/** The rows of the Clusters view, in the words all clients use. */
import type { Cluster, ClusterPhase, Kernel, Node, NodePhase, TitleOf } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { rateWords, waitWords } from '@hitch/contract/src/waiting-words.ts';
import {
  clusterActions,
  clusterLine,
  clusterTooltip,
  isOnlyWatched,
  stopsAtMs,
} from '@hitch/contract/src/words.ts';
import { canRun, isLive, isMoving, isSavingAtStop } from '../daemon/state.ts';
import { notebookName } from '../kernel/notebooks.ts';
import type { Row, RowIcon } from '../tree/row.ts';

const ICONS: Readonly<Record<ClusterPhase, RowIcon>> = {
  requested: { name: 'loading~spin' },
  purchasing: { name: 'loading~spin' },
  bootstrapping: { name: 'loading~spin' },
  starting: { name: 'loading~spin' },
  ready: { name: 'vm-running', color: 'charts.green' },
  degraded: { name: 'warning', color: 'list.warningForeground' },
  unreachable: { name: 'debug-disconnect', color: 'list.errorForeground' },
  stopping: { name: 'loading~spin' },
  paused: { name: 'debug-pause' },
  stopped: { name: 'circle-outline', color: 'disabledForeground' },
  expired: { name: 'circle-outline', color: 'disabledForeground' },
  failed: { name: 'error', color: 'list.errorForeground' },
};

/** Over, but not confirmed gone: that it may still cost is what its icon has to say. */
const MAY_COST: RowIcon = { name: 'warning', color: 'list.warningForeground' };

/** Only counted: whether it answers is not known, and nothing is wrong. */
const COUNTED: RowIcon = { name: 'eye' };

function iconOf(cluster: Cluster): RowIcon {
  if (!isLive(cluster) && cluster.conditions.cleanup.status !== 'yes') {
    return MAY_COST;
  }
  return cluster.phase === 'unreachable' && isOnlyWatched(cluster) ? COUNTED : ICONS[cluster.phase];
}

export const clusterRowId = (id: string): string => `cluster:${id}`;

/** The cluster that a row, or anything below it, belongs to. */
export function clusterOfRow(rowId: string): string | null {
  const [kind, id] = rowId.split(':');
  return id !== undefined &&
    (kind === 'cluster' || kind === 'cost' || kind === 'node' || kind === 'kernel' || kind === 'below')
    ? id
    : null;
}

/** What costs first, then the newest. */
export function ordered(clusters: readonly Cluster[]): Cluster[] {
  const rank = (cluster: Cluster): number =>
    isLive(cluster) ? 0 : cluster.conditions.cleanup.status === 'yes' ? 2 : 1;
  return [...clusters].sort((a, b) => rank(a) - rank(b) || b.createdAtMs - a.createdAtMs);
}

export interface RowContext {
  readonly nowMs: number;
  readonly titleOf: TitleOf;
  /** How many offers a cluster's quote held, where this window made it. */
  readonly candidates?: (clusterId: string) => number | undefined;
}

export function clusterRow(cluster: Cluster, context: RowContext): Row {
  const candidates = context.candidates?.(cluster.id);
  const words = { titleOf: context.titleOf, ...(candidates === undefined ? {} : { candidates }) };
  const line = clusterLine(cluster, context.nowMs, words);
  const label = cluster.practice ? `${cluster.name} (practice)` : cluster.name;
  const over = !isLive(cluster);
  const actions = [...clusterActions(cluster), ...(isSavingAtStop(cluster) ? ['endSave'] : [])];
  return {
    id: clusterRowId(cluster.id),
    label,
    // A sidebar is narrow, and the buttons of a row take from its end.
    description: clusterLine(cluster, context.nowMs, { ...words, moneyFirst: true }),
    icon: iconOf(cluster),
    contextValue: ['cluster', cluster.phase, ...actions].join(';'),
    collapsible: over ? 'none' : 'collapsed',
    spoken: `Cluster ${label}: ${isMoving(cluster) ? line.replace(/, \d+:\d\d(:\d\d)?/, '') : line}`,
    tooltip: () => [
      ...clusterTooltip(cluster, context.titleOf),
      ...(cluster.message === '' ? [] : [cluster.message]),
    ],
  };
}

const NODE_WORDS: Readonly<Record<NodePhase, string>> = {
  requested: 'waiting',
  purchasing: 'being rented',
  booting: 'booting',
  bootstrapping: 'installing packages',
  starting: 'starting',
  ready: 'ready',
  unreachable: 'no answer',
  stopping: 'stopping',
  gone: 'gone',
  failed: 'failed',
};

/** `GPU 87 %, 19/24 GB`; where no driver speaks, processor and memory. */
export function useOf({ signals }: Pick<Node, 'signals'>): string {
  if (signals === null) {
    return '';
  }
  const cards = signals.gpus.map(gpu => {
    const memory =
      gpu.vramUsedMiB === null || gpu.vramTotalMiB === null
        ? ''
        : `, ${Math.round(gpu.vramUsedMiB / 1024)}/${format.gigabytes(gpu.vramTotalMiB)}`;
    return `GPU ${gpu.utilizationPercent === null ? '?' : Math.round(gpu.utilizationPercent)} %${memory}`;
  });
  const machine = `CPU ${Math.round(signals.cpuPercent)} %, ${Math.round(signals.memoryUsedMiB / 1024)}/${format.gigabytes(signals.memoryTotalMiB)}`;
  return cards.length === 0 ? machine : cards.join(' · ');
}

export function nodeRow(cluster: Cluster, node: Node, nowMs: number): Row {
  const name = node.index === 0 ? 'Head' : `Worker ${node.index}`;
  const label = cluster.nodes.length === 1 ? node.title || 'Machine' : `${name}: ${node.title || 'machine'}`;
  const use = useOf(node);
  const isWatched = isOnlyWatched(cluster);
  const description = isWatched
    ? 'only counted'
    : node.phase === 'ready' && use !== ''
      ? use
      : NODE_WORDS[node.phase];
  const lost = node.phase === 'failed' || (node.phase === 'unreachable' && !isWatched);
  const isWarned = (node.machine?.warnings.length ?? 0) > 0;
  return {
    id: `node:${cluster.id}:${node.id}`,
    label,
    description,
    icon: lost || isWarned ? { name: 'warning', color: 'list.warningForeground' } : { name: 'chip' },
    contextValue: `node;${node.phase}`,
    collapsible: 'none',
    spoken: [`${name}, ${node.title}: ${description}`, ...(node.machine?.warnings ?? [])].join('. '),
    tooltip: () => [
      label,
      waitWords(node, nowMs) ?? (node.message || NODE_WORDS[node.phase]),
      ...(use === '' ? [] : [use]),
      ...(node.machine === undefined ? [] : [node.machine.says]),
      ...(node.machine?.warnings ?? []).map(warning => `⚠ ${warning}`),
    ],
  };
}

export function kernelRow(cluster: Cluster, kernel: Kernel, nowMs: number): Row {
  const label = kernel.path === null || kernel.path === '' ? kernel.name : notebookName(kernel.path);
  const idle =
    kernel.state === 'idle' ? `idle since ${format.clock(kernel.lastActivityMs, nowMs)}` : kernel.state;
  return {
    id: `kernel:${cluster.id}:${kernel.id}`,
    label,
    description: idle,
    icon: kernel.state === 'busy' ? { name: 'sync~spin' } : { name: 'notebook' },
    contextValue: `kernel;${kernel.state}`,
    collapsible: 'none',
    spoken: `Kernel of ${label}: ${idle}`,
    tooltip: () => [
      `${label}, ${kernel.name}`,
      idle,
      `${kernel.clients} ${kernel.clients === 1 ? 'page' : 'pages'} connected`,
    ],
  };
}

/** What it costs, in a row of its own that no button covers. */
function costRow(cluster: Cluster, nowMs: number): Row {
  const { id, usage } = cluster;
  const stop = stopsAtMs(cluster);
  const label = `${format.dollars(format.costOfRun(usage))} of ${format.dollars(usage.capMicroUsd)}`;
  const description = [
    rateWords(usage),
    ...(stop === null ? [] : [`stops ${format.clock(stop, nowMs)}`]),
  ].join(', ');
  return {
    id: `cost:${id}`,
    label,
    description,
    icon: { name: 'credit-card' },
    contextValue: 'cost',
    collapsible: 'none',
    spoken: `Cost: ${label}, ${description}`,
    tooltip: () => [`${label} spent`, description],
  };
}

/** What stands under a cluster: what it costs, its machines, and its kernels once they are known. */
export function rowsBelow(cluster: Cluster, kernels: readonly Kernel[], nowMs: number): Row[] {
  return [
    costRow(cluster, nowMs),
    ...cluster.nodes.map(node => nodeRow(cluster, node, nowMs)),
    ...(canRun(cluster) ? kernels.map(kernel => kernelRow(cluster, kernel, nowMs)) : []),
  ];
}
