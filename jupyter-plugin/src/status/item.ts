/** The status bar's item: what runs, what it costs an hour, and when it stops. A click opens the panel. */
import { clusterTooltip, statusBar } from '@hitch/contract';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { titlesOf, type Deps } from '../actions/deps.ts';
import { COMMANDS } from '../actions/ids.ts';
import { setText, setTooltip } from '../ui/text.ts';

/** The text says minutes. */
const CLOCK_MS = 20_000;

export class StatusItem extends Widget {
  readonly activeChanged = new Signal<this, void>(this);
  readonly #deps: Deps;
  readonly #button: HTMLButtonElement;
  readonly #clock: IDisposable;
  #text: string | null = null;

  constructor(deps: Deps) {
    super();
    this.#deps = deps;
    this.addClass('jp-Hitch-status');
    this.#button = document.createElement('button');
    this.#button.type = 'button';
    this.#button.addEventListener('click', () => void deps.commands.execute(COMMANDS.openPanel));
    this.node.append(this.#button);
    deps.hitch.changed.connect(this.#look, this);
    this.#clock = new Poll({
      name: 'jupyterlab-hitch:status',
      frequency: { interval: CLOCK_MS, backoff: false, max: CLOCK_MS },
      standby: () => (this.active ? 'when-hidden' : true),
      factory: async () => this.#look(),
    });
    this.#look();
  }

  get active(): boolean {
    return this.#text !== null;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.#clock.dispose();
      super.dispose();
    }
  }

  #look(): void {
    const { hitch, now, trans } = this.#deps;
    const text = statusBar(hitch.clusters, now());
    const wasActive = this.active;
    if (text !== this.#text) {
      this.#text = text;
      setText(this.#button, text ?? '');
      this.toggleClass('jp-mod-warn', text?.startsWith('⚠') === true);
    }
    const lines = hitch.clusters
      .filter(({ endedAtMs }) => endedAtMs === null)
      .flatMap(cluster => clusterTooltip(cluster, titlesOf(hitch)));
    setTooltip(this.#button, ...lines, trans.__('Click to see your GPU clusters'));
    this.#button.setAttribute('aria-label', trans.__('GPU clusters: %1', text ?? ''));
    if (wasActive !== this.active) {
      this.activeChanged.emit();
    }
  }
}
