/** One cluster in a tab: what it does, what it costs, where it runs, and its logs. */
import '@hitch/views/define';
import { adoptJupyterTheme, JUPYTER_THEME_CLASS, type NodeUseFunction } from '@hitch/views';
import { clusterLine, PHASE_WORDS, type Cluster, type ClusterId } from '@hitch/contract';
import { Panel } from '@lumino/widgets';
import { runningNodes } from '@hitch/contract/src/use/words.ts';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import { titlesOf, type Deps } from '../actions/deps.ts';
import { COMMANDS } from '../actions/ids.ts';
import { DetailsModel } from '../panel/details-model.ts';
import { kernelList } from '../panel/kernels.ts';
import { moneyLines } from '@hitch/views/money-lines';
import { nodeList } from '../panel/nodes.ts';
import { actionButtons, practiceLabel, tone } from '../panel/pieces.ts';
import { LitWidget } from '../ui/lit-widget.ts';
import { viewWords } from '../ui/view-words.ts';
import { pulse } from '../ui/pulse.ts';
import { setTitle } from '../ui/text.ts';
import { LogsView } from './logs.ts';
import { packagesSection } from './packages.ts';

const AGAIN_MS = 5_000;
const CLOCK_MS = 1_000;

class Overview extends LitWidget {
  readonly #deps: Deps;
  readonly #id: ClusterId;
  readonly #details: DetailsModel;
  readonly #pulses;
  /** One for all pictures: a view that gets another begins anew. */
  readonly #askUse: NodeUseFunction;
  #followed = false;

  constructor(deps: Deps, id: ClusterId) {
    super();
    this.#deps = deps;
    this.#id = id;
    this.addClass('jp-Hitch-overview');
    this.addClass(JUPYTER_THEME_CLASS);
    this.#details = new DetailsModel(deps.hitch);
    this.#askUse = (nodeIndex, query) =>
      deps.hitch.client.api.nodes.use({ clusterId: id, nodeIndex, ...query });
    deps.hitch.changed.connect(this.#changed, this);
    this.#details.changed.connect(this.#changed, this);
    const running = () => this.cluster !== undefined && this.cluster.endedAtMs === null;
    this.#pulses = [
      pulse({ name: 'tab-clock', everyMs: CLOCK_MS, widget: this, when: running, act: () => this.update() }),
      pulse({
        name: 'tab-signals',
        everyMs: AGAIN_MS,
        widget: this,
        when: running,
        act: async () => {
          await Promise.all([deps.hitch.refresh(), this.#details.refresh()]);
        },
      }),
    ];
    this.#follow();
  }

  get cluster(): Cluster | undefined {
    return this.#deps.hitch.clusters.find(({ id }) => id === this.#id);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.#pulses.forEach(each => each.dispose());
      this.#details.dispose();
      super.dispose();
    }
  }

  #changed(): void {
    this.#follow();
    this.update();
  }

  /** A restored tab is there before the clusters are known. */
  #follow(): void {
    const { cluster } = this;
    if (!this.#followed && cluster !== undefined) {
      this.#followed = true;
      this.#details.follow(cluster);
    }
  }

  protected override content(): TemplateResult {
    const { cluster } = this;
    return cluster === undefined ? this.#absent() : this.#present(cluster);
  }

  #absent(): TemplateResult {
    const { hitch, trans, commands } = this.#deps;
    if (hitch.link.state !== 'live') {
      return html`<div class="jp-Hitch-empty" aria-busy=${hitch.link.state === 'connecting'}>
        <p>${hitch.link.state === 'connecting' ? trans.__('Loading your clusters…') : hitch.link.sentence}</p>
      </div>`;
    }
    return html`<div class="jp-Hitch-empty">
      <p>${trans.__('This cluster is no longer in the list.')}</p>
      <button
        type="button"
        class="jp-Button jp-mod-styled jp-mod-accept"
        @click=${() => void commands.execute(COMMANDS.newCluster)}
      >
        ${trans.__('New cluster')}
      </button>
    </div>`;
  }

  #present(cluster: Cluster): TemplateResult {
    const { hitch, trans, now } = this.#deps;
    const { events, kernels } = this.#details.of(cluster.id);
    const words = viewWords(trans);
    return html`
      <div class="jp-Hitch-tabHead" data-cluster-id=${cluster.id}>
        <span
          class="jp-Hitch-dot jp-mod-${tone(cluster.phase)}"
          title=${PHASE_WORDS[cluster.phase]}
          aria-hidden="true"
        ></span>
        <h1>${cluster.name}</h1>
        ${practiceLabel(this.#deps, cluster.practice)}
        <span class="jp-Hitch-line" role="status"
          >${clusterLine(cluster, now(), { titleOf: titlesOf(hitch) })}</span
        >
        <span class="jp-Hitch-actions"
          >${actionButtons(this.#deps, cluster, { tabbable: true, alsoPorts: true })}</span
        >
      </div>
      <div class="jp-Hitch-tabBody">
        <section aria-label=${trans.__('Timeline')}>
          <h2>${trans.__('Timeline')}</h2>
          <hitch-timeline .messages=${words} .cluster=${cluster} .events=${events}></hitch-timeline>
        </section>
        <div class="jp-Hitch-tabSide">
          <section aria-label=${trans.__('Cost')}>
            <h2>${trans.__('Cost')}</h2>
            <div class="jp-Hitch-money">
              ${moneyLines(cluster, now(), words).map(line => html`<div>${line}</div>`)}
            </div>
            <hitch-cost-plot .messages=${words} .cluster=${cluster}></hitch-cost-plot>
          </section>
          <section aria-label=${trans.__('Machines')}>
            <h2>${trans.__('Machines')}</h2>
            ${nodeList(this.#deps, cluster)}
            ${
              runningNodes(cluster).length === 0
                ? nothing
                : html`<hitch-use
                    .messages=${words}
                    .nodes=${runningNodes(cluster)}
                    .ask=${this.#askUse}
                  ></hitch-use>`
            }
          </section>
          ${packagesSection(this.#deps, cluster)}
          <section aria-label=${trans.__('Kernels')}>
            <h2>${trans.__('Kernels')}</h2>
            ${kernelList(this.#deps, cluster, kernels)}
          </section>
        </div>
      </div>
    `;
  }
}

export class ClusterView extends Panel {
  readonly #overview: Overview;
  readonly #logs: LogsView;

  constructor(deps: Deps, id: ClusterId) {
    super();
    adoptJupyterTheme(document);
    this.addClass('jp-Hitch-tab');
    this.#overview = new Overview(deps, id);
    this.#logs = new LogsView(deps, () => this.#overview.cluster);
    this.addWidget(this.#overview);
    this.addWidget(this.#logs);
    this.#logs.hide();
    deps.hitch.changed.connect(this.#changed, this);
    this.#changed();
  }

  /** Brings the logs into view. */
  showLogs(): void {
    this.#changed();
    this.#logs.node.scrollIntoView({ block: 'end' });
    this.#logs.node.querySelector('select')?.focus();
  }

  #changed(): void {
    this.#logs.setHidden(this.#overview.cluster === undefined);
    const name = this.#overview.cluster?.name;
    if (name !== undefined && this.parent !== null) {
      setTitle(this.parent.title, name);
    }
  }
}
