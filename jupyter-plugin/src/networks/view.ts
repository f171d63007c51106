/** Networks: how each stands, its login, what is left and how often it may be asked, and machines of one's own. */
import { adoptJupyterTheme, JUPYTER_THEME_CLASS } from '@hitch/views';
import {
  format,
  isLoggedIn,
  type LoginAction,
  loginActions,
  networkLine,
  networkLines,
  networkTrouble,
  type NetworkInfo,
  type NotOurs,
  machineWords,
  notOursLine,
} from '@hitch/contract';
import type { Message } from '@lumino/messaging';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import type { Deps } from '../actions/deps.ts';
import { COMMANDS } from '../actions/ids.ts';
import { practiceLabel } from '../panel/pieces.ts';
import { LitWidget } from '../ui/lit-widget.ts';
import { pulse } from '../ui/pulse.ts';
import { NetworkActs } from './acts.ts';
import { foreignKey, machineKey, NetworksModel, networkKey } from './model.ts';

const AGAIN_MS = 10_000;

export class NetworksView extends LitWidget {
  readonly #deps: Deps;
  readonly #model: NetworksModel;
  readonly #acts: NetworkActs;
  readonly #end = new AbortController();
  readonly #pulse;

  constructor(deps: Deps) {
    super();
    adoptJupyterTheme(document);
    this.#deps = deps;
    this.addClass('jp-Hitch-tab');
    this.addClass(JUPYTER_THEME_CLASS);
    this.node.tabIndex = -1;
    this.#model = new NetworksModel(deps);
    this.#acts = new NetworkActs(deps, this.#model, this.#end.signal);
    this.#model.changed.connect(this.#changed, this);
    deps.hitch.changed.connect(this.#changed, this);
    this.#pulse = pulse({
      name: 'networks',
      everyMs: AGAIN_MS,
      widget: this,
      when: () => true,
      act: () => this.#model.refresh(),
    });
    void this.#model.refresh();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.#end.abort();
      this.#pulse.dispose();
      this.#model.dispose();
      super.dispose();
    }
  }

  /** Asks which machine, and for its price. */
  addMachine(): Promise<void> {
    return this.#acts.addMachine();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    (this.node.querySelector<HTMLElement>('button') ?? this.node).focus();
  }

  #changed(): void {
    this.update();
  }

  protected override content(): TemplateResult {
    const { trans } = this.#deps;
    const { networks, problem } = this.#model;
    const hasMachines = networks?.some(({ machines }) => machines !== null) === true;
    return html`
      <div class="jp-Hitch-tabHead">
        <h1>${trans.__('Networks')}</h1>
        <span class="jp-Hitch-actions">
          ${hasMachines ? this.#button(trans.__('Add your own machine…'), 'add', () => this.addMachine()) : nothing}
          ${this.#button(trans.__('Refresh'), 'refresh', () => this.#model.refresh())}
        </span>
      </div>
      ${
        networks !== null && problem !== null
          ? html`<div class="jp-Hitch-banner jp-mod-warn" role="status">
              <span>${problem} ${trans.__('Showing the last known state.')}</span>
            </div>`
          : nothing
      }
      ${networks === null ? this.#absent(problem) : networks.length === 0 ? this.#none() : networks.map(each => this.#network(each))}
    `;
  }

  /** Nothing was heard yet. */
  #absent(problem: string | null): TemplateResult {
    const { trans, commands } = this.#deps;
    if (problem === null) {
      return html`<div class="jp-Hitch-empty" aria-busy="true">
        <div class="jp-Hitch-bone"></div>
        <div class="jp-Hitch-bone jp-mod-short"></div>
        <p class="jp-Hitch-quiet">${trans.__('Loading the networks…')}</p>
      </div>`;
    }
    return html`<div class="jp-Hitch-empty" role="alert">
      <p>${problem}</p>
      <button
        type="button"
        class="jp-Button jp-mod-styled jp-mod-accept"
        @click=${async () => {
          await commands.execute(COMMANDS.refresh);
          await this.#model.refresh();
        }}
      >
        ${trans.__('Start Hitch')}
      </button>
    </div>`;
  }

  #none(): TemplateResult {
    const { trans } = this.#deps;
    return html`<div class="jp-Hitch-empty">
      <p>${trans.__('No network is turned on in Hitch’s daemon: see the variable HITCH_PROVIDERS.')}</p>
    </div>`;
  }

  #network(network: NetworkInfo): TemplateResult {
    const { now, trans } = this.#deps;
    const { id, title, kind, machines, login } = network;
    const isWrong = networkTrouble(network) !== null || login?.state === 'refused';
    return html`<section class="jp-Hitch-network" data-network=${id} aria-label=${title}>
      <div class="jp-Hitch-networkHead">
        <span
          class="jp-Hitch-dot jp-mod-${isWrong ? 'bad' : isLoggedIn(network) ? 'good' : 'over'}"
          aria-hidden="true"
        ></span>
        <h2>${title}</h2>
        ${practiceLabel(this.#deps, kind === 'practice')}
        <span class="jp-Hitch-line">${networkLine(network)}</span>
        <span class="jp-Hitch-actions"
          >${loginActions(network).map(action => this.#loginButton(action, network))}</span
        >
      </div>
      <ul class="jp-Hitch-lines">
        ${networkLines(network, now()).map(line => html`<li>${line}</li>`)}
      </ul>
      ${this.#note(networkKey(id))} ${this.#foreign(network)}
      ${machines === null ? nothing : this.#machines(trans.__('Your machines'), machines)}
    </section>`;
  }

  #loginButton(action: LoginAction, network: NetworkInfo): TemplateResult {
    const { trans } = this.#deps;
    switch (action) {
      case 'login':
        return this.#button(trans.__('Log in…'), 'login', () => this.#acts.login(network), network.title);
      case 'test':
        return this.#button(trans.__('Test'), 'test', () => this.#acts.test(network), network.title);
      case 'logout':
        return this.#button(trans.__('Log out…'), 'logout', () => this.#acts.logout(network), network.title);
    }
  }

  /** What is on the account and was not rented by this Hitch, with what can be done about each. */
  #foreign(network: NetworkInfo): TemplateResult | typeof nothing {
    const { trans, now } = this.#deps;
    const { id: networkId, title, notOurs } = network;
    const keyOf = ({ id }: NotOurs): string => foreignKey(networkId, id);
    const shown = notOurs.filter(each => !this.#model.isLeftAlone(keyOf(each)));
    const hidden = notOurs.length - shown.length;
    return notOurs.length === 0
      ? nothing
      : html`<ul class="jp-Hitch-machines" aria-label=${trans.__('Not ours, at %1', title)}>
          ${shown.map(machine => {
            const name = machineWords(machine);
            const line = notOursLine(machine, now());
            return html`<li data-foreign=${machine.id}>
              <span class="jp-Hitch-line">${line}</span>
              <span class="jp-Hitch-actions">
                ${this.#button(trans.__('Adopt…'), 'adopt', () => this.#acts.adopt(network, machine), name)}
                ${this.#button(
                  trans.__('Leave alone'),
                  'leave',
                  () => this.#model.leaveAlone(keyOf(machine)),
                  name,
                )}
              </span>
              ${this.#note(keyOf(machine))}
            </li>`;
          })}
          ${
            hidden === 0
              ? nothing
              : html`<li>
                  <span class="jp-Hitch-line"
                    >${trans._n('%1 machine left alone and not ours', '%1 machines left alone and not ours', hidden)}</span
                  >
                  <span class="jp-Hitch-actions"
                    >${this.#button(trans.__('Show'), 'show', () => this.#model.showAgain(networkId), title)}</span
                  >
                </li>`
          }
        </ul>`;
  }

  #machines(label: string, machines: NonNullable<NetworkInfo['machines']>): TemplateResult {
    const { trans } = this.#deps;
    const { unlisted } = this.#model;
    if (machines.length === 0 && unlisted.length === 0) {
      return html`<p class="jp-Hitch-quiet">
        ${trans.__('A GPU machine that your ssh reaches can be used like a rented one: add it.')}
      </p>`;
    }
    return html`<ul class="jp-Hitch-machines" aria-label=${label}>
      ${machines.map(({ name, pricePerHourMicroUsd }) => {
        const price = `${format.dollars(pricePerHourMicroUsd)}/h`;
        return html`<li data-machine=${name}>
          <span class="jp-Hitch-name">${name}</span>
          <span class="jp-Hitch-line">${price}</span>
          <span class="jp-Hitch-actions">${this.#machineButtons(name)}</span>
          ${this.#note(machineKey(name))}
        </li>`;
      })}
      ${unlisted.map(
        name =>
          html`<li data-machine=${name}>
            <span class="jp-Hitch-name">${name}</span>
            <span class="jp-Hitch-line">${trans.__('not on your list')}</span>
            ${this.#note(machineKey(name))}
          </li>`,
      )}
    </ul>`;
  }

  #machineButtons(name: string): readonly TemplateResult[] {
    const { trans } = this.#deps;
    return [
      this.#button(trans.__('Test'), 'test', () => this.#acts.testMachine(name), name),
      this.#button(trans.__('Clean…'), 'clean', () => this.#acts.cleanMachine(name), name),
      this.#button(trans.__('Remove…'), 'remove', () => this.#acts.removeMachine(name), name),
    ];
  }

  #note(key: string): TemplateResult | typeof nothing {
    const { trans } = this.#deps;
    const note = this.#model.noteOf(key);
    if (note === null) {
      return nothing;
    }
    const { kind, lines, cancel } = note;
    return html`<div
      class="jp-Hitch-note ${kind === 'problem' ? 'jp-Hitch-problem' : ''}"
      role=${kind === 'problem' ? 'alert' : 'status'}
      aria-busy=${kind === 'doing'}
    >
      ${lines.map(line => html`<div>${line}</div>`)}
      ${
        cancel === null
          ? nothing
          : html`<button type="button" class="jp-Hitch-link" @click=${cancel}>${trans.__('Cancel')}</button>`
      }
      ${
        kind === 'doing'
          ? nothing
          : html`<button type="button" class="jp-Hitch-link" @click=${() => this.#model.note(key, null)}>
              ${trans.__('Hide')}
            </button>`
      }
    </div>`;
  }

  #button(label: string, action: string, run: () => void | Promise<void>, about?: string): TemplateResult {
    const { trans } = this.#deps;
    return html`<button
      type="button"
      class="jp-Hitch-action ${action === 'remove' || action === 'logout' ? 'jp-mod-danger' : ''}"
      data-action=${action}
      aria-label=${about === undefined ? label : trans.__('%1: %2', label, about)}
      @click=${() => void run()}
    >
      ${label}
    </button>`;
  }
}
