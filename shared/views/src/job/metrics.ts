/** `<hitch-metrics>`: the figures of a job's run, a small plot each, all on one axis; the machine's use and the cost among them. */
import { css, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { format } from '@hitch/contract';
import type { JobMetrics, MetricSeries, MetricsQuery } from '@hitch/contract/src/metrics/wire.ts';
import { figureText } from '@hitch/contract/src/metrics/words.ts';
import { HitchElement } from '../base/element.ts';
import { html, svg } from '../base/html.ts';
import { baseStyles } from '../base/styles.ts';
import { type MetricAxis, type MetricLine, metricPicture, type MetricPicture } from './metric-lines.ts';

/** Asks for series; rejects with a sentence. */
export type JobMetricsFunction = (query: Partial<MetricsQuery>) => Promise<JobMetrics>;

const AGAIN_MS = 3_000;
/** Series that are asked for, each with so many points. All of them: `hitch job metrics`. */
const MOST_SERIES = 48;
const POINTS = 240;
const WIDTH = 260;
const HEIGHT = 96;

export class HitchMetrics extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    ask: { attribute: false },
    live: { attribute: false },
    _metrics: { state: true },
    _axis: { state: true },
    _problem: { state: true },
  };

  static override styles = [
    baseStyles,
    css`
      .plots {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(220px, 1fr));
        gap: 8px 12px;
        max-height: 340px;
        overflow: auto;
      }

      figure {
        margin: 0;
        min-width: 0;
      }

      figcaption {
        display: flex;
        gap: 8px;
        justify-content: space-between;
      }

      figcaption span:first-child {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      svg {
        display: block;
        width: 100%;
        height: ${HEIGHT}px;
        border: 1px solid var(--hitch-border);
      }

      polyline {
        fill: none;
        stroke: var(--hitch-accent);
        stroke-width: 1.5px;
        vector-effect: non-scaling-stroke;
      }

      circle {
        fill: var(--hitch-accent);
      }

      .bar,
      .bounds {
        display: flex;
        gap: 6px 12px;
        align-items: center;
      }

      .bounds {
        justify-content: space-between;
        font-size: 11px;
      }

      @media (forced-colors: active) {
        polyline {
          stroke: CanvasText;
        }
      }
    `,
  ];

  declare ask: JobMetricsFunction | null;
  /** More may come. */
  declare live: boolean;
  declare _metrics: JobMetrics | null;
  declare _axis: MetricAxis;
  declare _problem: string | null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;

  constructor() {
    super();
    this.ask = null;
    this.live = false;
    this._metrics = null;
    this._axis = 'step';
    this._problem = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#look();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  protected override updated(changed: PropertyValues<this>): void {
    super.updated(changed);
    if (changed.has('ask') || changed.has('live')) {
      void this.#look();
    }
  }

  async #look(): Promise<void> {
    // As a function, so that the compiler does not take what was true before an await for true after it.
    const isShown = (): boolean => this.isConnected;
    if (this.ask === null || this.#asking || !isShown()) {
      return;
    }
    clearTimeout(this.#timer);
    this.#asking = true;
    try {
      this._metrics = await this.ask({ most: MOST_SERIES, points: POINTS });
      this._problem = null;
    } catch (error) {
      this._problem = error instanceof Error ? error.message : String(error);
    } finally {
      this.#asking = false;
    }
    if (isShown() && (this.live || this._metrics?.isOver !== true)) {
      this.#timer = setTimeout(() => void this.#look(), AGAIN_MS);
    }
  }

  protected override render(): TemplateResult | typeof nothing {
    const { _metrics: metrics, messages } = this;
    if (this._problem !== null && metrics === null) {
      return html`<p class="note" role="status">${this._problem}</p>`;
    }
    if (metrics === null || metrics.series.every(({ count }) => count === 0)) {
      return nothing;
    }
    const picture = metricPicture(metrics, this._axis);
    const more = metrics.total - metrics.series.length;
    const other = picture.axis === 'step' ? 'time' : 'step';
    return html`<section aria-label=${messages('Figures')}>
      <div class="bar">
        <span class="quiet"
          >${picture.axis === 'step' ? messages('Figures by step') : messages('Figures by time')}</span
        >
        <vscode-button
          secondary
          data-action="axis"
          @click=${() => {
            this._axis = other;
          }}
          >${other === 'time' ? messages('Show by time') : messages('Show by step')}</vscode-button
        >
      </div>
      <div class="plots" tabindex="0" role="group" aria-label=${messages('Figures')}>
        ${picture.lines.map(line => this.#plot(line, picture))}
      </div>
      ${more > 0 ? html`<p class="quiet">${messages('%1 more: hitch job metrics', more)}</p>` : nothing}
      ${metrics.notes.map(note => html`<p class="note warning">${note}</p>`)}
    </section>`;
  }

  #plot({ series, pieces }: MetricLine, { axis, from, to }: MetricPicture): TemplateResult {
    const { messages } = this;
    const values = pieces.flatMap(piece => piece.map(([, y]) => y));
    const low = Math.min(...values);
    const span = Math.max(...values) - low;
    const x = (at: number): number =>
      to === from ? WIDTH / 2 : 4 + ((at - from) / (to - from)) * (WIDTH - 8);
    const y = (value: number): number =>
      span > 0 ? 4 + (1 - (value - low) / span) * (HEIGHT - 8) : HEIGHT / 2;
    const end = (at: number): string =>
      axis === 'time' ? format.elapsed(at * 1000) : figureText(Math.round(at));
    return html`<figure data-figure=${series.name}>
      <figcaption title=${series.name}>
        <span>${series.name}</span><b>${figureText(series.last)}</b>
      </figcaption>
      <svg
        viewBox="0 0 ${WIDTH} ${HEIGHT}"
        preserveAspectRatio="none"
        role="img"
        aria-label=${this.#words(series)}
      >
        ${pieces.map(piece =>
          piece.length === 1
            ? svg`<circle cx=${x(piece[0]?.[0] ?? 0)} cy=${y(piece[0]?.[1] ?? 0)} r="2"></circle>`
            : svg`<polyline points=${piece.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ')}></polyline>`,
        )}
      </svg>
      <div class="bounds quiet">
        <span>${end(from)}</span>
        <span>${messages('%1 to %2', figureText(series.min), figureText(series.max))}</span>
        <span>${end(to)}</span>
      </div>
      ${series.notFinite === 0 ? nothing : html`<p class="note warning">${this.#notFinite(series)}</p>`}
    </figure>`;
  }

  /** The plot in words: for everybody. */
  #words({ name, first, last, min, max, count }: MetricSeries): string {
    return this.messages(
      '%1: %2 values, from %3 to %4, lowest %5, highest %6',
      name,
      count,
      ...[first, last, min, max].map(figureText),
    );
  }

  #notFinite({ notFinite, notFiniteAtStep: step }: MetricSeries): string {
    return step === null
      ? this.messages('%1 values are NaN or infinite', notFinite)
      : this.messages('%1 values are NaN or infinite, the first at step %2', notFinite, step);
  }
}
