/** `<hitch-timeline>`: how a cluster came to be and what happened to it, in lanes and as a list. */
import { css, nothing, type TemplateResult } from 'lit';
import { html, svg } from '../base/html.ts';
import { format, type Cluster, type ClusterEvent } from '@hitch/contract';
import { HitchElement } from '../base/element.ts';
import { baseStyles } from '../base/styles.ts';
import { WidthObserver } from '../base/width.ts';
import { eventWords, tellingEvents } from '@hitch/contract/src/event-words.ts';
import { endOf, lanes, ticks, tickText, toneOf, type Lane } from './lanes.ts';

const LANE_PX = 26;
const BAR_PX = 14;
const AXIS_PX = 22;
const LIVE_EVERY_MS = 5000;

export class HitchTimeline extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    cluster: { attribute: false },
    events: { attribute: false },
  };

  static override styles = [
    baseStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        gap: 10px;
        container-type: inline-size;
      }

      svg {
        display: block;
        width: 100%;
      }

      text {
        fill: currentColor;
        font-size: 11px;
      }

      .lane-title {
        font-size: 12px;
      }

      .cluster .lane-title {
        font-weight: 600;
      }

      .attempt .lane-title,
      .tick text {
        fill: var(--hitch-quiet);
      }

      .tick line {
        stroke: var(--hitch-border);
      }

      .span {
        rx: 3px;
        stroke: var(--hitch-background);
        stroke-width: 1px;
      }

      .waiting {
        fill: color-mix(in srgb, var(--hitch-accent) 55%, var(--hitch-background));
      }

      .good {
        fill: var(--hitch-good);
      }

      .span.warning,
      .mark.warning {
        fill: var(--hitch-warning);
      }

      .bad {
        fill: var(--hitch-error);
      }

      .over {
        fill: var(--hitch-quiet);
      }

      .mark {
        stroke: var(--hitch-background);
        stroke-width: 1.5px;
      }

      .mark.note {
        fill: var(--hitch-accent);
      }

      ol {
        display: grid;
        grid-template-columns: max-content max-content 1fr;
        gap: 3px 14px;
        margin: 0;
        padding: 0;
        list-style: none;
      }

      li {
        display: grid;
        grid-column: 1 / -1;
        grid-template-columns: subgrid;
      }

      li.warned {
        font-weight: 600;
      }

      .where {
        overflow: hidden;
        max-width: 22ch;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      @container (max-width: 480px) {
        ol {
          grid-template-columns: max-content 1fr;
        }

        .where {
          display: none;
        }
      }

      @media (forced-colors: active) {
        .span {
          fill: CanvasText;
        }

        .waiting {
          fill: GrayText;
        }

        .mark.warning {
          fill: Mark;
          stroke: CanvasText;
        }
      }
    `,
  ];

  declare cluster: Cluster | null;
  /** In the order of their numbers; a host that learns of more sets a longer array. */
  declare events: readonly ClusterEvent[];

  readonly #width = new WidthObserver(this, 640);
  #live: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.cluster = null;
    this.events = [];
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

  protected override render(): TemplateResult {
    const { cluster, events } = this;
    const t = this.messages;
    if (cluster === null || events.length === 0) {
      return html`<p class="quiet">${t('Nothing has happened yet.')}</p>`;
    }
    const all = lanes(cluster, events, this.now());
    const named = new Map(all.map(lane => [lane.id, lane]));
    const before = (events[0]?.seq ?? 1) - 1;
    return html`${this.#picture(cluster, all)}
      ${
        before <= 0
          ? nothing
          : html`<p class="quiet">${t('%1 earlier events are not shown here.', before)}</p>`
      }
      <ol aria-label=${t('Timeline of %1, oldest first', cluster.name)}>
        ${tellingEvents(events).map(event => this.#item(event, named))}
      </ol>`;
  }

  #item(event: ClusterEvent, lanes: ReadonlyMap<string, Lane>): TemplateResult {
    const warned = event.kind === 'warning' || toneOf(event.value) === 'bad';
    const lane = lanes.get(event.attemptId ?? event.nodeId ?? 'cluster');
    const named = this.messages(eventWords(event));
    // `Installing: Installing packages.` says it twice.
    const words = event.message.startsWith(named) ? '' : named;
    const text = [words, event.message].filter(part => part !== '').join(': ');
    return html`<li class=${warned ? 'warned' : nothing}>
      <time datetime=${new Date(event.atMs).toISOString()} title=${new Date(event.atMs).toString()}
        >${seconds(event.atMs)}</time
      >
      <span class="where quiet" title=${lane === undefined ? '' : whole(lane)}>${lane?.title ?? ''}</span>
      <span
        >${warned ? html`<span class="warning">⚠ <span class="spoken">${this.messages('Warning:')}</span></span>` : nothing}${
          text || event.kind
        }</span
      >
    </li>`;
  }

  /** For the eye; the list below says the same to everybody. */
  #picture(cluster: Cluster, all: readonly Lane[]): TemplateResult {
    const width = Math.max(260, this.#width.px);
    const left = Math.min(210, Math.round(width * 0.36));
    const startMs = Math.min(cluster.createdAtMs, this.events[0]?.atMs ?? cluster.createdAtMs);
    const endMs = endOf(cluster, this.events, this.now());
    const x = (atMs: number) =>
      left + ((Math.max(startMs, atMs) - startMs) / Math.max(1, endMs - startMs)) * (width - left - 12);
    const height = all.length * LANE_PX + AXIS_PX;
    const marks = ticks(startMs, endMs, Math.max(1, Math.floor((width - left) / 70)));
    return html`<svg width=${width} height=${height} viewBox="0 0 ${width} ${height}" aria-hidden="true">
      ${marks.map(
        atMs =>
          svg`<g class="tick"><line x1=${x(atMs)} x2=${x(atMs)} y1="0" y2=${height - AXIS_PX}></line><text x=${x(atMs)} y=${height - 6} text-anchor="middle">${tickText(atMs)}</text></g>`,
      )}
      ${all.map((lane, index) => this.#lane(lane, index * LANE_PX, left, x))}
    </svg>`;
  }

  #lane(lane: Lane, top: number, left: number, x: (atMs: number) => number): TemplateResult {
    const middle = top + LANE_PX / 2;
    const indent = lane.kind === 'attempt' ? 12 : 0;
    const room = Math.floor((left - indent - 10) / 6.6);
    const title = lane.title.length > room ? `${lane.title.slice(0, room - 1)}…` : lane.title;
    return svg`<g class=${lane.kind}>
      <text class="lane-title" x=${indent} y=${middle + 4}>${title}<title>${whole(lane)}</title></text>
      ${lane.spans.map(
        span =>
          svg`<rect class="span ${span.tone}" x=${x(span.startMs)} y=${middle - BAR_PX / 2} width=${Math.max(3, x(span.endMs) - x(span.startMs))} height=${BAR_PX}><title>${[`${seconds(span.startMs)} – ${seconds(span.endMs)}`, this.messages(span.words), span.message].filter(Boolean).join('\n')}</title></rect>`,
      )}
      ${lane.marks.map(
        mark =>
          svg`<path class="mark ${mark.tone}" d=${mark.tone === 'warning' ? `M${x(mark.atMs)} ${middle - 10}l8 15h-16z` : `M${x(mark.atMs)} ${middle - 7}l6 7-6 7-6-7z`}><title>${`${seconds(mark.atMs)}\n${mark.words}`}</title></path>`,
      )}
    </g>`;
  }
}

/** A lane's title uncut, with what the network calls it. */
const whole = ({ title, detail }: Lane): string => (detail === '' ? title : `${title}\n${detail}`);

/** `14:02:09`, on this computer's clock. */
function seconds(atMs: number): string {
  return `${format.clock(atMs)}:${new Date(atMs).getSeconds().toString().padStart(2, '0')}`;
}
