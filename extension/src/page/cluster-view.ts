/** One cluster: its line and actions, what happened, and what it costs. */
import { actionLabel, type Cluster, type ClusterEvent, clusterActions, clusterLine } from '@hitch/contract';
import { nothing, render, type TemplateResult } from 'lit';
import { asWritten, type NodeUseFunction } from '@hitch/views';
import { html } from '@hitch/views/html';
import { moneyLines } from '@hitch/views/money-lines';
import { runningNodes } from '@hitch/contract/src/use/words.ts';
import { PAGE_ACTIONS, type PageAction } from './messages.ts';

export interface ClusterPage {
  readonly root: HTMLElement;
  show(cluster: Cluster | null, events: readonly ClusterEvent[]): void;
}

const EACH_SECOND_MS = 1_000;

const actionsOf = (cluster: Cluster): readonly PageAction[] =>
  PAGE_ACTIONS.filter(action => clusterActions(cluster).includes(action));

export function clusterView(act: (action: PageAction) => void, ask: NodeUseFunction): ClusterPage {
  const root = document.createElement('div');
  let shown: Cluster | null = null;
  let happened: readonly ClusterEvent[] = [];
  const paint = (): void => {
    render(shown === null ? absent() : present(shown, happened, act, ask), root);
  };
  setInterval(() => {
    if (shown?.endedAtMs === null) {
      paint();
    }
  }, EACH_SECOND_MS);
  return {
    root,
    show: (cluster, events) => {
      shown = cluster;
      happened = events;
      paint();
    },
  };
}

const absent = (): TemplateResult => html`<p role="status">This cluster is no longer in the list.</p>`;

function present(
  cluster: Cluster,
  events: readonly ClusterEvent[],
  act: (action: PageAction) => void,
  ask: NodeUseFunction,
): TemplateResult {
  return html`
    <div class="head">
      <h1>${cluster.name}</h1>
      ${cluster.practice ? html`<span class="badge">Practice</span>` : nothing}
      <span class="line">${clusterLine(cluster, Date.now())}</span>
      <span class="actions">
        ${actionsOf(cluster).map(
          action =>
            html`<vscode-button
              ?secondary=${action !== 'runOn'}
              data-action=${action}
              @click=${() => act(action)}
              >${actionLabel(action, cluster)}</vscode-button
            >`,
        )}
      </span>
    </div>
    <div class="columns">
      <section aria-labelledby="happened">
        <h2 id="happened">Timeline</h2>
        <hitch-timeline .cluster=${cluster} .events=${events}></hitch-timeline>
      </section>
      <section aria-labelledby="cost">
        <h2 id="cost">Cost</h2>
        <ul class="facts">
          ${moneyLines(cluster, Date.now(), asWritten).map(line => html`<li>${line}</li>`)}
        </ul>
        <hitch-cost-plot .cluster=${cluster}></hitch-cost-plot>
      </section>
    </div>
    ${
      runningNodes(cluster).length === 0
        ? nothing
        : html`<section aria-labelledby="use">
            <h2 id="use">Machines over time</h2>
            <hitch-use .nodes=${runningNodes(cluster)} .ask=${ask}></hitch-use>
          </section>`
    }
  `;
}
