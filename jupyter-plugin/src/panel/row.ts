/** A cluster's row in the panel, and what opens below it. */
import { clusterLine, format, PHASE_WORDS, type Cluster, type ClusterEvent } from '@hitch/contract';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import { moneyLines } from '@hitch/views/money-lines';
import { titlesOf, type Deps } from '../actions/deps.ts';
import { COMMANDS } from '../actions/ids.ts';
import { viewWords } from '../ui/view-words.ts';
import type { Details } from './details-model.ts';
import { kernelList } from './kernels.ts';
import { newsOf } from './news.ts';
import { nodeList } from './nodes.ts';
import { actionButtons, practiceLabel, tone } from './pieces.ts';

const SHOWN_EVENTS = 6;

export interface RowOptions {
  readonly expanded: boolean;
  /** It is the row that Tab enters. */
  readonly current: boolean;
  /** Null while closed. */
  readonly details: Details | null;
  readonly toggle: () => void;
  readonly focused: () => void;
}

/** The newest first: what happened last is what people look for. */
function eventList({ trans, now }: Deps, events: readonly ClusterEvent[]): TemplateResult {
  if (events.length === 0) {
    return html`<p class="jp-Hitch-quiet">${trans.__('Nothing yet.')}</p>`;
  }
  return html`<ol class="jp-Hitch-events">
    ${newsOf(events, SHOWN_EVENTS).map(
      ({ atMs, text, warns }) =>
        html`<li class=${warns ? 'jp-mod-warn' : ''}>
          <time datetime=${new Date(atMs).toISOString()}>${format.clock(atMs, now())}</time>
          <span>${text}</span>
        </li>`,
    )}
  </ol>`;
}

function detailsOf(deps: Deps, cluster: Cluster, { events, kernels, problem }: Details): TemplateResult {
  const { trans, commands, now } = deps;
  return html`<div
    class="jp-Hitch-details"
    role="group"
    aria-label=${trans.__('Details of %1', cluster.name)}
  >
    ${problem === null ? nothing : html`<p class="jp-Hitch-problem">${problem}</p>`}
    <div class="jp-Hitch-money">
      ${moneyLines(cluster, now(), viewWords(trans)).map(line => html`<div>${line}</div>`)}
    </div>
    <div class="jp-Hitch-section">${trans.__('Machines')}</div>
    ${nodeList(deps, cluster)}
    <div class="jp-Hitch-section">${trans.__('Kernels')}</div>
    ${kernelList(deps, cluster, kernels)}
    <div class="jp-Hitch-section">${trans.__('Timeline')}</div>
    ${eventList(deps, events)}
    <button
      type="button"
      class="jp-Hitch-link"
      @click=${() => void commands.execute(COMMANDS.showTimeline, { clusterId: cluster.id })}
    >
      ${trans.__('Timeline, cost and logs')}
    </button>
  </div>`;
}

export function clusterRow(deps: Deps, cluster: Cluster, options: RowOptions): TemplateResult {
  const { hitch, now } = deps;
  const { expanded, current, details, toggle, focused } = options;
  const nameId = `jp-Hitch-name-${cluster.id}`;
  const lineId = `jp-Hitch-line-${cluster.id}`;
  return html`<li
    class="jp-Hitch-cluster"
    role="treeitem"
    data-cluster-id=${cluster.id}
    data-phase=${cluster.phase}
    tabindex=${current ? '0' : '-1'}
    aria-level="1"
    aria-expanded=${expanded}
    aria-labelledby="${nameId} ${lineId}"
    @focus=${focused}
  >
    <div class="jp-Hitch-head" @click=${toggle}>
      <span class="jp-Hitch-chevron" aria-hidden="true"></span>
      <span
        class="jp-Hitch-dot jp-mod-${tone(cluster.phase)}"
        title=${PHASE_WORDS[cluster.phase]}
        aria-hidden="true"
      ></span>
      <span class="jp-Hitch-name" id=${nameId}>${cluster.name} ${practiceLabel(deps, cluster.practice)}</span>
      <span class="jp-Hitch-line" id=${lineId}
        >${clusterLine(cluster, now(), { titleOf: titlesOf(hitch) })}</span
      >
    </div>
    <div class="jp-Hitch-actions">${actionButtons(deps, cluster, { tabbable: current })}</div>
    ${expanded && details !== null ? detailsOf(deps, cluster, details) : nothing}
  </li>`;
}
