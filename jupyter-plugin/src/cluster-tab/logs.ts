/** The end of a cluster's logs: asked for when opened, and again while they can be seen. */
import { type Cluster, logCutLine, type NodeId, outputText } from '@hitch/contract';
import { logText } from '@hitch/contract/src/log-words.ts';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import type { Deps } from '../actions/deps.ts';
import { sentenceOf } from '../actions/report.ts';
import { presentNodes } from '../panel/nodes.ts';
import { LitWidget } from '../ui/lit-widget.ts';
import { pulse } from '../ui/pulse.ts';

const LOG_NAMES = ['bootstrap', 'agent', 'jupyter', 'ray'] as const;
type LogName = (typeof LOG_NAMES)[number];

const AGAIN_MS = 4_000;
const BYTES = 40_000;
/** Scrolled this close to the end, the view follows it. */
const NEAR_END_PX = 40;

export class LogsView extends LitWidget {
  readonly #deps: Deps;
  readonly #cluster: () => Cluster | undefined;
  readonly #end = new AbortController();
  readonly #pulse;
  #node: NodeId | null = null;
  #name: LogName = 'bootstrap';
  #text: string | null = null;
  #problem: string | null = null;

  constructor(deps: Deps, cluster: () => Cluster | undefined) {
    super();
    this.#deps = deps;
    this.#cluster = cluster;
    this.addClass('jp-Hitch-logs');
    const first = cluster();
    if (first?.conditions.kernel.status === 'yes') {
      this.#name = 'jupyter';
    }
    this.#pulse = pulse({
      name: 'logs',
      everyMs: AGAIN_MS,
      widget: this,
      when: () => this.#hasLogs(),
      act: () => this.#ask(),
    });
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.#end.abort();
      this.#pulse.dispose();
      super.dispose();
    }
  }

  /** Nothing has written any before there is a machine. */
  #hasLogs(): boolean {
    const cluster = this.#cluster();
    return cluster !== undefined && cluster.phase !== 'requested' && cluster.phase !== 'purchasing';
  }

  #choose(part: { node?: NodeId | null; name?: LogName }): void {
    this.#node = part.node ?? this.#node;
    this.#name = part.name ?? this.#name;
    this.#text = null;
    this.update();
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const cluster = this.#cluster();
    if (cluster === undefined) {
      return;
    }
    const [name, node] = [this.#name, this.#node];
    try {
      const { text } = await this.#deps.hitch.client.api.clusters.logs(
        { clusterId: cluster.id, name, bytes: BYTES, ...(node === null ? {} : { nodeId: node }) },
        { signal: this.#end.signal },
      );
      if (name === this.#name && node === this.#node) {
        this.#show(text, null);
      }
    } catch (error) {
      if (!this.isDisposed) {
        this.#show(this.#text, sentenceOf(error));
      }
    }
  }

  #show(text: string | null, problem: string | null): void {
    if (this.isDisposed) {
      return;
    }
    const view = this.node.querySelector('pre');
    const follows = view === null || view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_END_PX;
    this.#text = text;
    this.#problem = problem;
    this.update();
    if (follows) {
      requestAnimationFrame(() => {
        const now = this.node.querySelector('pre');
        now?.scrollTo({ top: now.scrollHeight });
      });
    }
  }

  /** As a property: a log may be longer than a text is shown, and its own words are made plain otherwise. */
  #words(cluster: Cluster | undefined): string {
    const { trans } = this.#deps;
    switch (this.#text) {
      case null:
        return this.#hasLogs() ? trans.__('Loading…') : trans.__('No machine yet.');
      case '':
        return trans.__('Empty so far.');
      default:
        return `${this.#cutLine(this.#text, cluster)}${outputText(logText(this.#text), false)}`;
    }
  }

  #cutLine(text: string, cluster: Cluster | undefined): string {
    const node = cluster?.nodes.find(({ id }) => id === this.#node)?.index;
    const log = { cluster: cluster?.name ?? '', name: this.#name, ...(node === undefined ? {} : { node }) };
    const line = logCutLine(text, BYTES, log);
    return line === null ? '' : `${line}\n`;
  }

  protected override content(): TemplateResult {
    const { trans } = this.#deps;
    const cluster = this.#cluster();
    const nodes = cluster === undefined ? [] : presentNodes(cluster);
    const words: Readonly<Record<LogName, string>> = {
      bootstrap: trans.__('Setup'),
      agent: trans.__('Agent'),
      jupyter: trans.__('Notebook server'),
      ray: trans.__('Ray'),
    };
    const shown = LOG_NAMES.filter(name => name !== 'ray' || cluster?.engine === 'ray');
    const select = (event: Event): HTMLSelectElement | null =>
      event.target instanceof HTMLSelectElement ? event.target : null;
    return html`
      <div class="jp-Hitch-logsHead">
        <label>
          <span>${trans.__('Logs:')}</span>
          <select
            class="jp-mod-styled"
            @change=${(event: Event) => {
              const name = shown.find(each => each === select(event)?.value);
              this.#choose(name === undefined ? {} : { name });
            }}
          >
            ${shown.map(
              name => html`<option value=${name} ?selected=${name === this.#name}>${words[name]}</option>`,
            )}
          </select>
        </label>
        ${
          nodes.length < 2
            ? nothing
            : html`<label>
                <span>${trans.__('on')}</span>
                <select
                  class="jp-mod-styled"
                  @change=${(event: Event) =>
                    this.#choose({ node: nodes.find(({ id }) => id === select(event)?.value)?.id ?? null })}
                >
                  ${nodes.map(
                    ({ id, index, title }) =>
                      html`<option value=${id} ?selected=${id === this.#node}>
                        ${index + 1}. ${title}
                      </option>`,
                  )}
                </select>
              </label>`
        }
      </div>
      ${this.#problem === null ? nothing : html`<p class="jp-Hitch-quiet" role="status">${this.#problem}</p>`}
      <pre
        tabindex="0"
        aria-label=${trans.__('Log: %1', words[this.#name])}
        .textContent=${this.#words(cluster)}
      ></pre>
    `;
  }
}
