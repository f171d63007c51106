/** The status bar's line and its tooltip. */
import type { Cluster, TitleOf } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { shownName } from '@hitch/contract/src/shown/text.ts';
import { markdownLine } from '@hitch/contract/src/shown/places.ts';
import { clusterActions, clusterTooltip, statusBar } from '@hitch/contract/src/words.ts';
import { isLive } from '../daemon/state.ts';
import { notebookName } from '../kernel/notebooks.ts';
import type { Kernel } from '@hitch/contract';

/** As wide as a digit, so that a line that got shorter keeps its place and its neighbours theirs. */
const FIGURE_SPACE = '\u2007';

export interface BarText {
  readonly text: string;
  /** A codicon before it. */
  readonly icon: 'warning' | 'chip';
  readonly spoken: string;
  /** Something wants attention: it ends soon, or does not answer. */
  readonly warns: boolean;
}

/** Remembers how wide the line was, so that it does not make its neighbours jump. */
export class StatusLine {
  #width = 0;

  /** Null hides it. */
  show(clusters: readonly Cluster[], nowMs: number): BarText | null {
    const line = statusBar(clusters, nowMs);
    if (line === null) {
      this.#width = 0;
      return null;
    }
    const warns = line.startsWith('⚠');
    const plain = line.replace(/^⚠ /, '');
    this.#width = Math.max(this.#width, plain.length);
    return {
      text: `${plain}${FIGURE_SPACE.repeat(this.#width - plain.length)}`,
      icon: warns ? 'warning' : 'chip',
      spoken: `Hitch: ${warns ? 'attention, ' : ''}${plain}`,
      warns,
    };
  }
}

export interface TooltipContext {
  readonly titleOf: TitleOf;
  readonly nowMs: number;
  /** What this month has cost so far; null while it is not known. */
  readonly monthMicroUsd: string | null;
  readonly kernelsOf: (clusterId: string) => readonly Kernel[];
  /** How its head did in the last hour, for people; null while it is not known. */
  readonly lastHourOf: (clusterId: string) => string | null;
}

const link = (label: string, command: string, clusterId: string): string =>
  `[${label}](command:${command}?${encodeURIComponent(JSON.stringify([clusterId]))})`;

/** Markdown; its links are `command:` links of {@link TOOLTIP_COMMANDS} only. */
export function tooltip(clusters: readonly Cluster[], context: TooltipContext): string {
  const shown = clusters.filter(cluster => isLive(cluster) || cluster.conditions.billing.status === 'yes');
  const blocks = shown.map(cluster => {
    const [first = '', ...rest] = clusterTooltip(cluster, context.titleOf);
    const busy = context
      .kernelsOf(cluster.id)
      .filter(({ state, path }) => state === 'busy' && path !== null)
      .map(({ path }) => shownName(notebookName(path ?? '')));
    const head = `**${markdownLine(cluster.name)}**${markdownLine(
      `${first.slice(cluster.name.length)}${busy.length === 0 ? '' : `: ${busy.join(', ')}`}`,
    )}`;
    const actions = new Set(clusterActions(cluster));
    const links = [
      ...(actions.has('extend') ? [link('Extend…', 'hitch.cluster.extend', cluster.id)] : []),
      ...(actions.has('runOn') ? [link('Save', 'hitch.cluster.save', cluster.id)] : []),
      ...(actions.has('stop') ? [link('Stop…', 'hitch.cluster.stop', cluster.id)] : []),
      ...(actions.has('cancel') ? [link('Cancel…', 'hitch.cluster.cancel', cluster.id)] : []),
    ];
    const lastHour = context.lastHourOf(cluster.id);
    const said = [...rest, ...(lastHour === null ? [] : [lastHour])];
    return [head, ...said.map(markdownLine), ...(links.length === 0 ? [] : [links.join(' · ')])].join('  \n');
  });
  const month = new Date(context.nowMs).toLocaleString('en', { month: 'long' });
  const money =
    context.monthMicroUsd === null ? [] : [`${month} ${markdownLine(format.dollars(context.monthMicroUsd))}`];
  return [...blocks, ...money].join('\n\n');
}

export const TOOLTIP_COMMANDS = [
  'hitch.cluster.extend',
  'hitch.cluster.save',
  'hitch.cluster.stop',
  'hitch.cluster.cancel',
] as const;
