/** The machines of a cluster, each with how much of it is in use. */
import { format, waitWords, type Cluster, type MachineAbout, type Node, type Signals } from '@hitch/contract';
import type { TranslationBundle } from '@jupyterlab/translation';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import type { Deps } from '../actions/deps.ts';
import { meter } from './pieces.ts';

const percentOf = (used: number, total: number): number => (total === 0 ? 0 : (100 * used) / total);

function usedOf(usedMiB: number, totalMiB: number): string {
  return `${(usedMiB / 1024).toFixed(usedMiB < 10 * 1024 ? 1 : 0)}/${format.gigabytes(totalMiB)}`;
}

/** Which numbers a machine shows: its GPUs, or its processor where there is none. */
function meters(signals: Signals, trans: TranslationBundle): TemplateResult[] {
  const { gpus, cpuPercent, memoryUsedMiB, memoryTotalMiB } = signals;
  const several = gpus.length > 1;
  const graphics = gpus.flatMap(({ index, utilizationPercent, vramUsedMiB, vramTotalMiB }) => [
    ...(utilizationPercent === null
      ? []
      : [
          meter({
            label: several ? trans.__('GPU %1', index) : trans.__('GPU'),
            text: `${Math.round(utilizationPercent)} %`,
            percent: utilizationPercent,
          }),
        ]),
    ...(vramUsedMiB === null || vramTotalMiB === null
      ? []
      : [
          meter({
            label: several ? trans.__('VRAM %1', index) : trans.__('VRAM'),
            text: usedOf(vramUsedMiB, vramTotalMiB),
            percent: percentOf(vramUsedMiB, vramTotalMiB),
          }),
        ]),
  ]);
  return [
    ...graphics,
    meter({ label: trans.__('CPU'), text: `${Math.round(cpuPercent)} %`, percent: cpuPercent }),
    ...(graphics.length > 0
      ? []
      : [
          meter({
            label: trans.__('Memory'),
            text: usedOf(memoryUsedMiB, memoryTotalMiB),
            percent: percentOf(memoryUsedMiB, memoryTotalMiB),
          }),
        ]),
  ];
}

function nodeWords({ phase }: Node, trans: TranslationBundle): string {
  switch (phase) {
    case 'requested':
    case 'purchasing':
      return trans.__('renting');
    case 'booting':
      return trans.__('booting');
    case 'bootstrapping':
      return trans.__('installing');
    case 'starting':
      return trans.__('starting');
    case 'ready':
      return trans.__('ready');
    case 'unreachable':
      return trans.__('no answer');
    case 'stopping':
      return trans.__('stopping');
    case 'gone':
      return trans.__('gone');
    case 'failed':
      return trans.__('failed');
  }
}

function machineLines({ says, warnings }: MachineAbout): TemplateResult {
  return html`<div class="jp-Hitch-quiet">${says}</div>
    ${warnings.map(warning => html`<div class="jp-Hitch-problem">⚠ ${warning}</div>`)}`;
}

/** The newest machine in each place. */
export function presentNodes({ nodes }: Pick<Cluster, 'nodes'>): Node[] {
  const byIndex = new Map(nodes.map(node => [node.index, node]));
  return [...byIndex.values()].sort((one, other) => one.index - other.index);
}

const messageOf = (node: Node, nowMs: number): string => waitWords(node, nowMs) ?? node.message;

export function nodeList({ trans, now }: Pick<Deps, 'trans' | 'now'>, cluster: Cluster): TemplateResult {
  const nodes = presentNodes(cluster);
  return html`<ul class="jp-Hitch-nodes" aria-label=${trans.__('Machines of %1', cluster.name)}>
    ${nodes.map(
      node =>
        html`<li>
          <div class="jp-Hitch-nodeTitle">
            <span>${nodes.length === 1 ? nothing : html`${node.index + 1}. `}${node.title}</span>
            <span class="jp-Hitch-quiet">${nodeWords(node, trans)}</span>
          </div>
          ${messageOf(node, now()) === '' ? nothing : html`<div class="jp-Hitch-quiet">${messageOf(node, now())}</div>`}
          ${node.machine === undefined ? nothing : machineLines(node.machine)}
          ${node.signals === null || node.phase === 'gone' ? nothing : meters(node.signals, trans)}
        </li>`,
    )}
  </ul>`;
}
