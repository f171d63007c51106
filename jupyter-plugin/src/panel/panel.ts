/** The list of clusters in the left area. It renders what {@link IHitch} knows; it asks for nothing but details. */
import type { Cluster, ClusterEvent, ClusterId } from '@hitch/contract';
import type { Message } from '@lumino/messaging';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import { repeat } from 'lit/directives/repeat.js';
import type { Deps } from '../actions/deps.ts';
import { COMMANDS, NEIGHBOURS } from '../actions/ids.ts';
import type { IHitch } from '../tokens.ts';
import { LitWidget } from '../ui/lit-widget.ts';
import { pulse } from '../ui/pulse.ts';
import { jobList } from '../jobs/list.ts';
import { JobsModel } from '../jobs/model.ts';
import { DetailsModel } from './details-model.ts';
import { hasClock } from './pieces.ts';
import { treeMove } from './roving.ts';
import { clusterRow } from './row.ts';
import { banners, empty, loading, offline, panelState } from './states.ts';

const SIGNALS_MS = 5_000;
const CLOCK_MS = 1_000;
const JOBS_MS = 3_000;

export class ClustersPanel extends LitWidget {
  readonly #deps: Deps;
  readonly #details: DetailsModel;
  readonly #jobs: JobsModel;
  readonly #expanded = new Set<ClusterId>();
  readonly #pulses;
  #current: string | null = null;
  /** The last transition, for those who hear the page. */
  #said = '';

  constructor(deps: Deps) {
    super();
    this.#deps = deps;
    this.addClass('jp-Hitch-panel');
    this.#details = new DetailsModel(deps.hitch);
    const { hitch } = deps;
    hitch.changed.connect(this.#changed, this);
    hitch.events.connect(this.#heard, this);
    this.#details.changed.connect(this.#changed, this);
    this.#jobs = new JobsModel(hitch);
    this.#jobs.changed.connect(this.#changed, this);
    const running = () => hitch.clusters.some(({ endedAtMs }) => endedAtMs === null);
    this.#pulses = [
      pulse({
        name: 'panel-clock',
        everyMs: CLOCK_MS,
        widget: this,
        when: () => hitch.clusters.some(hasClock) || this.#jobs.isRunning,
        act: () => this.update(),
      }),
      pulse({
        name: 'panel-jobs',
        everyMs: JOBS_MS,
        widget: this,
        when: () => hitch.clusters.length > 0,
        act: () => this.#jobs.refresh(),
      }),
      pulse({
        name: 'panel-signals',
        everyMs: SIGNALS_MS,
        widget: this,
        when: running,
        act: async () => {
          await Promise.all([hitch.refresh(), this.#details.refresh()]);
        },
      }),
    ];
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.#pulses.forEach(each => each.dispose());
      this.#details.dispose();
      this.#jobs.dispose();
      super.dispose();
    }
  }

  /** Opens a cluster's row and gives it the focus. */
  reveal(id: ClusterId): void {
    const cluster = this.#deps.hitch.clusters.find(each => each.id === id);
    if (cluster !== undefined) {
      this.#expand(cluster);
      this.#focusRow(id);
    }
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    const first = this.node.querySelector<HTMLElement>(
      '[role=treeitem][tabindex="0"], .jp-Hitch-empty button',
    );
    (first ?? this.node).focus();
  }

  #changed(): void {
    this.update();
  }

  #heard(hitch: IHitch, event: ClusterEvent): void {
    const cluster = hitch.clusters.find(({ id }) => id === event.clusterId);
    if (event.kind === 'phase' && event.message !== '') {
      this.#said = this.#deps.trans.__('%1: %2', cluster?.name ?? '', event.message);
      this.update();
    }
  }

  #toggle(cluster: Cluster): void {
    if (this.#expanded.has(cluster.id)) {
      this.#collapse(cluster.id);
    } else {
      this.#expand(cluster);
    }
  }

  #expand(cluster: Cluster): void {
    this.#expanded.add(cluster.id);
    this.#details.follow(cluster);
    this.update();
  }

  #collapse(id: ClusterId): void {
    this.#expanded.delete(id);
    this.#details.unfollow(id);
    this.update();
  }

  #focusRow(id: string): void {
    this.#current = id;
    this.update();
    this.node.querySelector<HTMLElement>(`[data-cluster-id="${CSS.escape(id)}"]`)?.focus();
  }

  #key(event: KeyboardEvent): void {
    const { clusters } = this.#deps.hitch;
    const { target } = event;
    if (!(target instanceof HTMLElement) || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const row = target.closest<HTMLElement>('[role=treeitem]');
    const id = row?.dataset['clusterId'];
    if (row === null || id === undefined) {
      return;
    }
    if (target !== row) {
      // Inside a row the keys are the buttons' own; Escape leads back to the row.
      if (event.key === 'Escape') {
        row.focus();
      }
      return;
    }
    const rows = clusters.map(cluster => ({
      id: cluster.id,
      name: cluster.name,
      expanded: this.#expanded.has(cluster.id),
    }));
    const move = treeMove(rows, id, event.key);
    if (move === null) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const cluster = clusters.find(each => each.id === move.id);
    if (move.kind === 'focus') {
      this.#focusRow(move.id);
    } else if (cluster !== undefined) {
      this.#toggle(cluster);
    }
  }

  protected override content(): TemplateResult {
    const { trans, commands } = this.#deps;
    const again = () => void commands.execute(COMMANDS.refresh);
    return html`
      <div class="jp-Hitch-toolbar" role="toolbar" aria-label=${trans.__('GPUs')}>
        <span class="jp-Hitch-title">${trans.__('GPUs')}</span>
        <button
          type="button"
          class="jp-Hitch-action"
          @click=${() => void commands.execute(COMMANDS.newCluster)}
        >
          ${trans.__('New cluster')}
        </button>
        ${
          commands.hasCommand(NEIGHBOURS.templates)
            ? html`<button
                type="button"
                class="jp-Hitch-action"
                @click=${() => void commands.execute(NEIGHBOURS.templates)}
              >
                ${trans.__('Templates')}
              </button>`
            : nothing
        }
      </div>
      <div class="jp-Hitch-heard" role="status" aria-live="polite">${this.#said}</div>
      ${banners(this.#deps, again)}
      <div class="jp-Hitch-scroll">${this.#body(again)}</div>
    `;
  }

  #body(again: () => void): TemplateResult {
    const { hitch } = this.#deps;
    switch (panelState(hitch.link, hitch.clusters)) {
      case 'loading':
        return loading(this.#deps);
      case 'offline':
        return offline(this.#deps, again);
      case 'empty':
        return empty(this.#deps);
      case 'list':
        return this.#list(hitch.clusters);
    }
  }

  #list(clusters: readonly Cluster[]): TemplateResult {
    const { trans } = this.#deps;
    const current = clusters.find(({ id }) => id === this.#current)?.id ?? clusters[0]?.id;
    return html`<ul
        class="jp-Hitch-clusters"
        role="tree"
        aria-label=${trans.__('Clusters')}
        @keydown=${(event: KeyboardEvent) => this.#key(event)}
      >
        ${repeat(
          clusters,
          ({ id }) => id,
          cluster =>
            clusterRow(this.#deps, cluster, {
              expanded: this.#expanded.has(cluster.id),
              current: cluster.id === current,
              details: this.#expanded.has(cluster.id) ? this.#details.of(cluster.id) : null,
              toggle: () => this.#toggle(cluster),
              focused: () => {
                this.#current = cluster.id;
                this.update();
              },
            }),
        )}
      </ul>
      ${jobList(this.#deps, this.#jobs)}`;
  }
}
