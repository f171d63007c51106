/** `Run on: This computer ▾` in a notebook's toolbar. */
import { shownLine } from '@hitch/contract';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { MenuSvg } from '@jupyterlab/ui-components';
import { type Menu, Widget } from '@lumino/widgets';
import { NEIGHBOURS, COMMANDS } from '../actions/ids.ts';
import type { Deps } from '../actions/deps.ts';
import { setTooltip } from '../ui/text.ts';
import { addQuickItems, openFollowing } from '../quick/menu.ts';
import type { Quick } from '../quick/rent.ts';
import { canRunOn, clusterOfKernel } from './targets.ts';

export class RunOnButton extends Widget {
  readonly #deps: Deps;
  readonly #panel: NotebookPanel;
  /** Null: that plugin is disabled. */
  readonly #quick: Quick | null;
  readonly #button: HTMLButtonElement;
  readonly #menu: Menu;

  constructor(deps: Deps, panel: NotebookPanel, quick: Quick | null) {
    super();
    this.#deps = deps;
    this.#panel = panel;
    this.#quick = quick;
    this.#menu = new MenuSvg({ commands: deps.commands });
    this.addClass('jp-Hitch-runOn');
    this.#button = document.createElement('button');
    this.#button.type = 'button';
    setTooltip(this.#button, deps.trans.__('Where this notebook runs'));
    this.#button.setAttribute('aria-haspopup', 'menu');
    this.#button.addEventListener('click', () => this.#open());
    this.node.append(this.#button);
    panel.sessionContext.kernelChanged.connect(this.#show, this);
    panel.sessionContext.sessionChanged.connect(this.#show, this);
    panel.sessionContext.kernelPreferenceChanged.connect(this.#show, this);
    deps.hitch.changed.connect(this.#show, this);
    quick?.later.changed.connect(this.#show, this);
    this.#show();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.#menu.dispose();
      super.dispose();
    }
  }

  get #place(): string | null {
    const { session, kernelPreference } = this.#panel.sessionContext;
    return clusterOfKernel(session?.kernel?.name ?? kernelPreference.name);
  }

  #show(): void {
    const { trans } = this.#deps;
    const coming = this.#quick?.later.clusterOf(this.#panel.context.path);
    const label =
      coming === undefined
        ? trans.__('Run on: %1', this.#place ?? trans.__('This computer'))
        : trans.__('Moves to %1 when it is ready', coming.name);
    if (this.#button.dataset['label'] !== label) {
      this.#button.dataset['label'] = label;
      this.#button.replaceChildren(shownLine(label), caret());
    }
  }

  #open(): void {
    const { left: x, bottom: y } = this.#button.getBoundingClientRect();
    const fill = () => this.#fill();
    if (this.#quick === null) {
      fill();
      this.#menu.open(x, y);
    } else {
      openFollowing(this.#menu, this.#quick.presets, { x, y, fill });
    }
  }

  #fill(): void {
    this.#menu.clearItems();
    const path = this.#panel.context.path;
    const add = (clusterId: string) =>
      this.#menu.addItem({ command: NEIGHBOURS.runOn, args: { clusterId, path, isMenu: true } });
    add('');
    this.#deps.hitch.clusters.filter(canRunOn).forEach(({ id }) => add(id));
    this.#menu.addItem({ type: 'separator' });
    if (this.#quick === null) {
      this.#menu.addItem({ command: COMMANDS.newCluster });
    } else {
      addQuickItems(this.#menu, this.#quick, path);
    }
  }
}

function caret(): HTMLElement {
  const sign = document.createElement('span');
  sign.className = 'jp-Hitch-caret';
  sign.setAttribute('aria-hidden', 'true');
  return sign;
}
