/** The panel's place in the left area. What it shows is loaded when it is opened for the first time. */
import type { ClusterId } from '@hitch/contract';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';
import type { Deps } from '../actions/deps.ts';
import { gpusIcon } from '../ui/icons.ts';
import { setTitle } from '../ui/text.ts';
import type { ClustersPanel } from './panel.ts';

export const PANEL_ID = 'jp-hitch-clusters';

export class LazyPanel extends Panel {
  readonly #deps: Deps;
  #panel: Promise<ClustersPanel> | null = null;

  constructor(deps: Deps) {
    super();
    this.#deps = deps;
    this.id = PANEL_ID;
    this.addClass('jp-Hitch-side');
    this.title.icon = gpusIcon;
    setTitle(this.title, '', deps.trans.__('GPUs'));
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', deps.trans.__('GPUs'));
  }

  async reveal(id: ClusterId): Promise<void> {
    (await this.#load()).reveal(id);
  }

  protected override onBeforeShow(message: Message): void {
    super.onBeforeShow(message);
    void this.#load();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    void this.#load().then(panel => panel.activate());
  }

  async #make(): Promise<ClustersPanel> {
    const { ClustersPanel } = await import('./panel.ts');
    const panel = new ClustersPanel(this.#deps);
    this.addWidget(panel);
    return panel;
  }

  #load(): Promise<ClustersPanel> {
    this.#panel ??= this.#make();
    return this.#panel;
  }
}
