/** The small plot in a notebook's toolbar: the last ten minutes of its machine; pointed at, what was then and which cell ran. */
import type { Cluster, Execution } from '@hitch/contract';
import { NO_USE, withPage } from '@hitch/contract/src/use/gather.ts';
import type { UsePage } from '@hitch/contract/src/use/wire.ts';
import { nowWords } from '@hitch/contract/src/use/words.ts';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Widget } from '@lumino/widgets';
import { COMMANDS } from '../actions/ids.ts';
import type { Deps } from '../actions/deps.ts';
import { clusterOfKernel } from '../run-on/targets.ts';
import { pulse } from '../ui/pulse.ts';
import { setTooltip } from '../ui/text.ts';
import { glanceValues, momentAt } from './at-moment.ts';

const SHOWN_MS = 600_000;
const EVERY_MS = 4_000;
const ASK_WITHIN_MS = 10_000;
const WIDTH = 60;
const HEIGHT = 18;
const SVG = 'http://www.w3.org/2000/svg';

export class UseGlance extends Widget {
  readonly #deps: Deps;
  readonly #panel: NotebookPanel;
  readonly #button = document.createElement('button');
  readonly #line = document.createElementNS(SVG, 'polyline');
  readonly #pulse;
  #of: Cluster['id'] | null = null;
  #page: UsePage = NO_USE;
  #executions: readonly Execution[] = [];
  #pointedAt: number | null = null;

  constructor(deps: Deps, panel: NotebookPanel) {
    super();
    this.#deps = deps;
    this.#panel = panel;
    this.addClass('jp-Hitch-use');
    // Until something is known of a cluster's machine: on this computer it stays so.
    this.hide();
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', `0 0 ${WIDTH.toString()} ${HEIGHT.toString()}`);
    svg.setAttribute('aria-hidden', 'true');
    svg.append(this.#line);
    this.#button.type = 'button';
    this.#button.append(svg);
    this.#button.addEventListener('click', () => {
      void deps.commands.execute(COMMANDS.showTimeline, { clusterId: this.#of ?? '' });
    });
    this.#button.addEventListener('pointerenter', () => void this.#askWhatRan());
    this.#button.addEventListener('pointermove', event => {
      const { left, width } = svg.getBoundingClientRect();
      this.#pointedAt = width === 0 ? null : Math.min(1, Math.max(0, (event.clientX - left) / width));
      this.#say();
    });
    this.#button.addEventListener('pointerleave', () => {
      this.#pointedAt = null;
      this.#say();
    });
    this.node.append(this.#button);
    panel.sessionContext.kernelChanged.connect(this.#follow, this);
    deps.hitch.changed.connect(this.#follow, this);
    this.#pulse = pulse({
      name: 'use-glance',
      everyMs: EVERY_MS,
      // What is asked about is hidden until something is known of it; the notebook itself can be seen.
      widget: panel,
      when: () => this.#of !== null,
      act: () => this.#look(),
    });
    this.#follow();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.#pulse.dispose();
      super.dispose();
    }
  }

  /** The cluster that the notebook's kernel runs on; none where it is this computer. */
  #follow(): void {
    const { session, kernelPreference } = this.#panel.sessionContext;
    const name = clusterOfKernel(session?.kernel?.name ?? kernelPreference.name);
    const cluster = this.#deps.hitch.clusters.find(each => each.name === name);
    const id = cluster?.conditions.kernel.status === 'yes' ? cluster.id : null;
    if (id !== this.#of) {
      this.#of = id;
      this.#page = NO_USE;
      this.#executions = [];
      this.#draw();
      void this.#look().catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const clusterId = this.#of;
    if (clusterId === null) {
      return;
    }
    const afterMs = this.#page.timesMs.at(-1) ?? 0;
    const page = await this.#deps.hitch.client.api.nodes.use(
      { clusterId, nodeIndex: 0, scale: 'fine', afterMs, withinMs: SHOWN_MS },
      { signal: AbortSignal.timeout(ASK_WITHIN_MS) },
    );
    if (this.#of === clusterId && !this.isDisposed) {
      this.#page = withPage(this.#page, page, (page.timesMs.at(-1) ?? 0) - SHOWN_MS);
      this.#draw();
    }
  }

  /** Asked only when somebody points at it. */
  async #askWhatRan(): Promise<void> {
    const clusterId = this.#of;
    const kernelId = this.#panel.sessionContext.session?.kernel?.id;
    if (clusterId === null || kernelId === undefined) {
      return;
    }
    try {
      this.#executions = await this.#deps.hitch.client.api.kernels.executions(
        { clusterId, kernelId, content: 'none' },
        { signal: AbortSignal.timeout(ASK_WITHIN_MS) },
      );
      this.#say();
    } catch {
      // The figures are shown without the cell.
    }
  }

  #draw(): void {
    const values = glanceValues(this.#page);
    this.setHidden(values.every(value => value === null));
    const step = WIDTH / Math.max(1, values.length - 1);
    const points = values.flatMap((value, at) =>
      value === null
        ? []
        : [`${(at * step).toFixed(1)},${(1 + (1 - value / 100) * (HEIGHT - 2)).toFixed(1)}`],
    );
    this.#line.setAttribute('points', points.join(' '));
    this.#say();
  }

  #say(): void {
    const { trans } = this.#deps;
    const last = this.#page.timesMs.length - 1;
    const at = this.#pointedAt === null ? last : Math.round(this.#pointedAt * last);
    const moment = momentAt(this.#page, this.#executions, at);
    if (moment === null) {
      setTooltip(this.#button);
      return;
    }
    const { time, figures, cell } = moment;
    const ran = cell === null ? trans.__('No cell ran.') : trans.__('Cell [%1] ran.', cell.toString());
    setTooltip(
      this.#button,
      trans.__('%1: %2', time, figures),
      ...(this.#executions.length === 0 ? [] : [ran]),
    );
    this.#button.setAttribute('aria-label', trans.__('The machine now: %1', nowWords(this.#page)));
  }
}
