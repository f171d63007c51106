/** `<hitch-use>`: how a cluster's machines did over time, the last hour or all of it: a small plot a figure, and all as a table. */
import { nothing, type PropertyValues, type TemplateResult } from 'lit';
import { format, shownName } from '@hitch/contract';
import { lastValue, NO_USE, withPage } from '@hitch/contract/src/use/gather.ts';
import {
  COARSE_EVERY_MS,
  USE_KEPT_MS,
  type UsePage,
  type UseQuery,
  type UseScale,
  type UseSeries,
} from '@hitch/contract/src/use/wire.ts';
import { seriesWords, useOfText, useText } from '@hitch/contract/src/use/words.ts';
import { HitchElement } from '../base/element.ts';
import { html, svg } from '../base/html.ts';
import { baseStyles } from '../base/styles.ts';
import { sampleAt, sumsOf, useLines } from './lines.ts';
import { useStyles } from './use-styles.ts';

/** Asks a node for samples; rejects with a sentence. */
export type NodeUseFunction = (nodeIndex: number, query: Partial<UseQuery>) => Promise<UsePage>;

export interface UseNode {
  readonly index: number;
  readonly title: string;
}

/** Newer samples are asked for so often, while the view can be seen. */
const AGAIN_MS: Readonly<Record<UseScale, number>> = { fine: 4_000, coarse: COARSE_EVERY_MS };
const POINTS = 300;
const WIDTH = 260;
const HEIGHT = 72;

const namesOf = (nodes: unknown): string =>
  Array.isArray(nodes)
    ? nodes.map(({ index, title }: UseNode) => `${index.toString()} ${title}`).join('\n')
    : '';

export class HitchUse extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    ask: { attribute: false },
    // A host that draws itself each second gives the same list anew.
    nodes: {
      attribute: false,
      hasChanged: (one: unknown, other: unknown) => namesOf(one) !== namesOf(other),
    },
    _scale: { state: true },
    _node: { state: true },
    _page: { state: true },
    _problem: { state: true },
    _atMs: { state: true },
  };

  static override styles = [baseStyles, useStyles];

  declare ask: NodeUseFunction | null;
  /** Those that run. */
  declare nodes: readonly UseNode[];
  declare _scale: UseScale;
  declare _node: number;
  declare _page: UsePage;
  declare _problem: string | null;
  /** Under the pointer; null: nowhere, the latest is said. */
  declare _atMs: number | null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts what is looked at: an answer for what was left is dropped. */
  #look = 0;

  constructor() {
    super();
    this.ask = null;
    this.nodes = [];
    this._scale = 'fine';
    this._node = 0;
    this._page = NO_USE;
    this._problem = null;
    this._atMs = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#look += 1;
    clearTimeout(this.#timer);
  }

  protected override updated(changed: PropertyValues<this>): void {
    super.updated(changed);
    const before = changed.get('nodes');
    if (before !== undefined && before.length === 0 && this.nodes.length > 0) {
      this.#begin();
    }
  }

  /** Another node, another time, or the view is there anew. */
  #begin(): void {
    this.#look += 1;
    this._page = NO_USE;
    this._problem = null;
    void this.#next(this.#look);
  }

  async #next(look: number): Promise<void> {
    clearTimeout(this.#timer);
    const isWanted = (): boolean => look === this.#look && this.isConnected;
    // What nobody sees asks for nothing.
    if (this.ask !== null && this.nodes.length > 0 && this.checkVisibility()) {
      try {
        await this.#read(this.ask, isWanted);
      } catch (error) {
        if (isWanted()) {
          this._problem = error instanceof Error ? error.message : String(error);
        }
      }
    }
    if (isWanted()) {
      this.#timer = setTimeout(() => void this.#next(look), AGAIN_MS[this._scale]);
    }
  }

  async #read(ask: NodeUseFunction, isWanted: () => boolean): Promise<void> {
    const scale = this._scale;
    for (let more = true; more && isWanted();) {
      const query = { scale, afterMs: this._page.timesMs.at(-1) ?? 0, withinMs: USE_KEPT_MS[scale] };
      const page = await ask(this._node, query);
      if (!isWanted()) {
        return;
      }
      const sinceMs = (page.timesMs.at(-1) ?? 0) - USE_KEPT_MS[scale];
      this._page = withPage(this._page, page, sinceMs);
      this._problem = null;
      more = page.more;
    }
  }

  protected override render(): TemplateResult | typeof nothing {
    const { messages, nodes } = this;
    if (nodes.length === 0) {
      return nothing;
    }
    const { timesMs, series } = this._page;
    return html`${this.#bar()}
    ${this._problem === null ? nothing : html`<p class="note" role="status">${this._problem}</p>`}
    ${
      timesMs.length === 0
        ? html`<p class="quiet" role="status">
            ${this._scale === 'fine' ? messages('Nothing is measured yet.') : messages('No minute is over yet.')}
          </p>`
        : html`<div
              class="plots"
              role="group"
              tabindex="0"
              aria-label=${messages('Use over time')}
              @pointerleave=${() => {
                this._atMs = null;
              }}
            >
              ${series.map(each => this.#plot(each))}
            </div>
            ${this.#table()}`
    }`;
  }

  #bar(): TemplateResult {
    const { messages, _scale: scale } = this;
    const [firstMs, lastMs] = [this._page.timesMs[0], this._page.timesMs.at(-1)];
    const shown = (atMs: number): string => format.clock(atMs, this.now());
    const time =
      firstMs === undefined || lastMs === undefined
        ? ''
        : this._atMs === null
          ? messages('%1 to %2', shown(firstMs), shown(lastMs))
          : shown(this._atMs);
    const choice = (value: UseScale, text: string): TemplateResult =>
      html`<vscode-button
        ?secondary=${scale !== value}
        aria-pressed=${scale === value}
        data-scale=${value}
        @click=${() => {
          this._scale = value;
          this.#begin();
        }}
        >${text}</vscode-button
      >`;
    return html`<div class="bar">
      ${
        this.nodes.length < 2
          ? nothing
          : html`<select
              aria-label=${messages('Machine')}
              @change=${(event: Event) => {
                if (event.target instanceof HTMLSelectElement) {
                  this._node = Number(event.target.value);
                  this.#begin();
                }
              }}
            >
              ${this.nodes.map(
                ({ index, title }) =>
                  html`<option value=${index} ?selected=${index === this._node}>
                    ${messages('Node %1, %2', index, shownName(title))}
                  </option>`,
              )}
            </select>`
      }
      ${choice('fine', messages('Last hour'))} ${choice('coarse', messages('Since the start'))}
      <span class="quiet">${time}</span>
    </div>`;
  }

  #plot(series: UseSeries): TemplateResult {
    const { timesMs } = this._page;
    const [firstMs = 0, lastMs = 0] = [timesMs[0], timesMs.at(-1)];
    const { high, low } = sumsOf(series);
    // Programs may use several cores; what is bounded is drawn against its bound.
    const top = series.most ?? Math.max(1, (high ?? 1) * 1.1);
    const x = (atMs: number): number =>
      lastMs === firstMs ? WIDTH / 2 : 2 + ((atMs - firstMs) / (lastMs - firstMs)) * (WIDTH - 4);
    const y = (value: number): number => 2 + (1 - Math.min(1, value / top)) * (HEIGHT - 4);
    const at = this._atMs === null ? -1 : sampleAt(this._page, this._atMs);
    const value = at === -1 ? lastValue(series) : (series.values[at] ?? null);
    const name = shownName(seriesWords(series));
    return html`<figure data-series=${`${series.of} ${series.id} ${series.kind}`}>
      <figcaption title=${series.of === 'gpu' ? shownName(series.name) : name}>
        <span>${name}</span><b>${useOfText(series, value)}</b>
      </figcaption>
      <svg
        viewBox="0 0 ${WIDTH} ${HEIGHT}"
        preserveAspectRatio="none"
        role="img"
        aria-label=${this.messages(
          '%1: now %2, lowest %3, highest %4',
          name,
          ...[lastValue(series), low, high].map(each => useText(series.kind, each)),
        )}
        @pointermove=${(event: PointerEvent) => this.#point(event, firstMs, lastMs)}
      >
        ${useLines(timesMs, series, POINTS).map(piece =>
          piece.length === 1
            ? svg`<circle cx=${x(piece[0]?.atMs ?? 0)} cy=${y(piece[0]?.value ?? 0)} r="2"></circle>`
            : svg`<polyline points=${piece.map(point => `${x(point.atMs).toFixed(1)},${y(point.value).toFixed(1)}`).join(' ')}></polyline>`,
        )}
        ${at === -1 ? nothing : svg`<line class="at" x1=${x(timesMs[at] ?? 0)} x2=${x(timesMs[at] ?? 0)} y1="0" y2=${HEIGHT}></line>`}
      </svg>
    </figure>`;
  }

  #point(event: PointerEvent, firstMs: number, lastMs: number): void {
    if (event.currentTarget instanceof Element) {
      const { left, width } = event.currentTarget.getBoundingClientRect();
      const share = width === 0 ? 1 : Math.min(1, Math.max(0, (event.clientX - left) / width));
      this._atMs = firstMs + share * (lastMs - firstMs);
    }
  }

  /** The same for whoever does not see plots, or wants numbers. */
  #table(): TemplateResult {
    const { messages } = this;
    const cell = ({ kind }: UseSeries, value: number | null): TemplateResult =>
      html`<td>${useText(kind, value)}</td>`;
    return html`<details>
      <summary>${messages('As a table')}</summary>
      <table>
        <thead>
          <tr>
            ${[
              messages('Figure'),
              messages('Now'),
              messages('Lowest'),
              messages('Mean'),
              messages('Highest'),
            ].map(title => html`<th scope="col">${title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${this._page.series.map(series => {
            const { low, mean, high } = sumsOf(series);
            return html`<tr>
              <th scope="row">${shownName(seriesWords(series))}</th>
              ${[lastValue(series), low, mean, high].map(value => cell(series, value))}
            </tr>`;
          })}
        </tbody>
      </table>
    </details>`;
  }
}
