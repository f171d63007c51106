/** `<hitch-cost-plot>`: what a cluster has cost so far against its cap, and when it will stop. */
import { css, nothing, type TemplateResult } from 'lit';
import { html, svg } from '../base/html.ts';
import { format, showDollars, type Cluster, type MicroUsd } from '@hitch/contract';
import { HitchElement } from '../base/element.ts';
import { baseStyles } from '../base/styles.ts';
import { WidthObserver } from '../base/width.ts';
import { ticks, tickText } from '../timeline/lanes.ts';
import { accrued, capInAll, forecast, polyline, scale, type CostPoint } from './geometry.ts';

const HEIGHT_PX = 190;
const LIVE_EVERY_MS = 10_000;

export class HitchCostPlot extends HitchElement {
  static override properties = { ...HitchElement.properties, cluster: { attribute: false } };

  static override styles = [
    baseStyles,
    css`
      figure {
        margin: 0;
      }

      svg {
        display: block;
        width: 100%;
      }

      text {
        fill: var(--hitch-quiet);
        font-size: 11px;
      }

      .axis,
      .tick {
        stroke: var(--hitch-border);
      }

      polyline,
      .cap,
      .stop {
        fill: none;
      }

      .spent {
        stroke: var(--hitch-accent);
        stroke-width: 2px;
        stroke-linejoin: round;
      }

      .area {
        fill: var(--hitch-accent);
        opacity: 0.14;
      }

      .forecast {
        stroke: var(--hitch-accent);
        stroke-width: 1.5px;
        stroke-dasharray: 4 4;
      }

      .cap {
        stroke: var(--hitch-error);
        stroke-width: 1.5px;
      }

      .stop {
        stroke: var(--hitch-warning);
        stroke-width: 1.5px;
        stroke-dasharray: 2 3;
      }

      .now {
        fill: var(--hitch-accent);
      }

      text.strong {
        fill: currentColor;
      }

      figcaption {
        margin-top: 4px;
      }

      @media (forced-colors: active) {
        .spent,
        .forecast,
        .cap,
        .stop {
          stroke: CanvasText;
        }
      }
    `,
  ];

  declare cluster: Cluster | null;

  readonly #width = new WidthObserver(this, 480);
  #live: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.cluster = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#live = setInterval(() => {
      if (this.cluster?.endedAtMs === null) {
        this.requestUpdate();
      }
    }, LIVE_EVERY_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#live);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { cluster } = this;
    if (cluster === null) {
      return nothing;
    }
    const nowMs = Math.max(cluster.endedAtMs ?? this.now(), cluster.createdAtMs);
    const points = accrued(cluster, nowMs);
    const spent = points.at(-1)?.microUsd ?? 0n;
    const ahead = forecast(cluster, nowMs);
    return html`<figure>
      ${this.#picture(cluster, nowMs, points, ahead)}
      <figcaption class="quiet">${this.#words(cluster, nowMs, spent, ahead)}</figcaption>
    </figure>`;
  }

  /** The plot in words: for everybody. */
  #words({ usage }: Cluster, nowMs: number, spent: MicroUsd, ahead: CostPoint | null): string {
    const t = this.messages;
    const cap = showDollars(capInAll(usage));
    const soFar = t('%1 of %2 spent by %3', format.spent(spent), cap, format.clock(nowMs));
    return ahead === null
      ? soFar
      : t(
          '%1, at %2/h; stops %3 at about %4',
          soFar,
          format.dollars(usage.ratePerHourMicroUsd),
          format.clock(ahead.atMs, nowMs),
          format.spent(ahead.microUsd),
        );
  }

  #picture(
    cluster: Cluster,
    nowMs: number,
    points: readonly CostPoint[],
    ahead: CostPoint | null,
  ): TemplateResult {
    const width = Math.max(240, this.#width.px);
    const box = { left: 46, top: 14, width: width - 62, height: HEIGHT_PX - 40 };
    const cap = capInAll(cluster.usage);
    const spent = points.at(-1)?.microUsd ?? 0n;
    const toMs = Math.max(ahead?.atMs ?? nowMs, nowMs, cluster.createdAtMs + 60_000);
    const place = scale(box, cluster.createdAtMs, toMs, ((spent > cap ? spent : cap) * 108n) / 100n);
    const line = polyline(points, place);
    const bottom = box.top + box.height;
    const last = { atMs: nowMs, microUsd: spent };
    const area = `${place.x(cluster.createdAtMs)},${bottom} ${line} ${place.x(nowMs)},${bottom}`;
    const moments = ticks(cluster.createdAtMs, toMs, Math.max(1, Math.floor(box.width / 80)));
    return html`<svg
      width=${width}
      height=${HEIGHT_PX}
      viewBox="0 0 ${width} ${HEIGHT_PX}"
      role="img"
      aria-label=${this.#words(cluster, nowMs, spent, ahead)}
    >
      ${moments.map(
        atMs =>
          svg`<line class="tick" x1=${place.x(atMs)} x2=${place.x(atMs)} y1=${bottom} y2=${bottom + 4}></line><text x=${place.x(atMs)} y=${bottom + 17} text-anchor="middle">${tickText(atMs)}</text>`,
      )}
      <line class="axis" x1=${box.left} x2=${box.left + box.width} y1=${bottom} y2=${bottom}></line>
      <line
        class="cap"
        x1=${box.left}
        x2=${box.left + box.width}
        y1=${place.y(cap)}
        y2=${place.y(cap)}
      ></line>
      <text class="strong" x=${box.left - 6} y=${place.y(cap) + 4} text-anchor="end">
        ${showDollars(cap)}
      </text>
      <text x=${box.left - 6} y=${bottom + 4} text-anchor="end">$0</text>
      <polygon class="area" points=${area}></polygon>
      <polyline class="spent" points=${line}></polyline>
      ${
        ahead === null
          ? nothing
          : svg`<polyline class="forecast" points=${polyline([last, ahead], place)}></polyline>
          <line class="stop" x1=${place.x(ahead.atMs)} x2=${place.x(ahead.atMs)} y1=${box.top} y2=${bottom}><title>${this.messages('stops %1', format.clock(ahead.atMs, nowMs))}</title></line>
          <text class="strong" x=${place.x(ahead.atMs) - 5} y=${bottom - 8} text-anchor="end">${this.messages('stops %1', format.clock(ahead.atMs, nowMs))}</text>`
      }
      <circle class="now" cx=${place.x(nowMs)} cy=${place.y(spent)} r="3.5"></circle>
      <text
        class="strong"
        x=${place.x(nowMs)}
        y=${place.y(spent) - 9}
        text-anchor=${place.x(nowMs) > width - 60 ? 'end' : 'middle'}
      >
        ${format.spent(spent)}
      </text>
    </svg>`;
  }
}
