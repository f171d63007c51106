/** Small pieces of the panel and the tabs: buttons, meters, signs of a state. */
import { clusterActions, type Cluster, type ClusterPhase } from '@hitch/contract';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import { titlesOf, type Deps } from '../actions/deps.ts';
import { COMMAND_OF, offers, rowActionLabel, type RowAction } from '../actions/ids.ts';

/** The colour of a state; the words beside it say the same. */
export function tone(phase: ClusterPhase): 'busy' | 'good' | 'warn' | 'bad' | 'over' {
  switch (phase) {
    case 'requested':
    case 'purchasing':
    case 'bootstrapping':
    case 'starting':
    case 'stopping':
      return 'busy';
    case 'ready':
      return 'good';
    case 'degraded':
    case 'unreachable':
    case 'paused':
      return 'warn';
    case 'failed':
      return 'bad';
    case 'stopped':
    case 'expired':
      return 'over';
  }
}

/** The phases whose line shows a running clock. */
export const hasClock = ({ phase }: Pick<Cluster, 'phase'>): boolean => tone(phase) === 'busy';

const DANGEROUS: ReadonlySet<RowAction> = new Set<RowAction>(['stop', 'cancel', 'remove', 'endSave']);

/** The buttons of a cluster's state; what has no command behind it is left out. */
export function actionButtons(
  { commands, hitch, trans }: Deps,
  cluster: Cluster,
  options: { readonly tabbable: boolean; readonly alsoTimeline?: boolean; readonly alsoPorts?: boolean },
): TemplateResult {
  const actions: readonly RowAction[] = [
    ...(offers(cluster, 'endSave') ? (['endSave'] as const) : []),
    ...clusterActions(cluster),
    ...(options.alsoPorts === true && offers(cluster, 'ports') ? (['ports'] as const) : []),
    ...(options.alsoTimeline === true ? (['timeline'] as const) : []),
  ];
  const shown = actions.flatMap(action => {
    const command = COMMAND_OF[action];
    return command !== null && commands.hasCommand(command) ? [{ action, command }] : [];
  });
  return html`${shown.map(({ action, command }) => {
    const label = rowActionLabel(action, cluster, titlesOf(hitch), trans);
    return html`<button
      type="button"
      class="jp-Hitch-action ${DANGEROUS.has(action) ? 'jp-mod-danger' : ''}"
      data-action=${action}
      tabindex=${options.tabbable ? '0' : '-1'}
      aria-label=${trans.__('%1: %2', label, cluster.name)}
      @click=${() => void commands.execute(command, { clusterId: cluster.id })}
    >
      ${label}
    </button>`;
  })}`;
}

export interface MeterOptions {
  readonly label: string;
  readonly text: string;
  /** 0 … 100. */
  readonly percent: number;
}

export function meter({ label, text, percent }: MeterOptions): TemplateResult {
  const bounded = Math.min(100, Math.max(0, Math.round(percent)));
  return html`<div class="jp-Hitch-meter">
    <span class="jp-Hitch-meterLabel">${label}</span>
    <span
      class="jp-Hitch-meterBar"
      role="meter"
      aria-label=${label}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${bounded}
      aria-valuetext=${text}
      ><span style="width: ${bounded}%"></span
    ></span>
    <span class="jp-Hitch-meterText">${text}</span>
  </div>`;
}

export function practiceLabel(
  { trans }: Pick<Deps, 'trans'>,
  practice: boolean,
): TemplateResult | typeof nothing {
  return practice
    ? html`<span
        class="jp-Hitch-badge"
        title=${trans.__('Processes on this computer: nobody is charged, no CUDA')}
        >${trans.__('Practice')}</span
      >`
    : nothing;
}
