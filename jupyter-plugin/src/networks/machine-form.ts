/** Which machine is to be added: one that the user's ssh configuration names, or one whose address is typed. */
import { readMachinePrice, type SshHost, sshHostLine } from '@hitch/contract';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import { ask } from '../actions/ask.ts';
import type { Deps } from '../actions/deps.ts';
import { failed, sentenceOf } from '../actions/report.ts';
import { DialogForm } from '../ui/dialog-form.ts';

export interface MachineWanted {
  readonly machine: string;
  readonly pricePerHourMicroUsd?: string;
}

const HOSTS = 'jp-hitch-ssh-hosts';

class MachineForm extends DialogForm {
  readonly #trans;
  #hosts: readonly SshHost[] | null = null;
  #problem: string | null = null;
  machine = '';
  price = '';

  constructor({ trans }: Pick<Deps, 'trans'>, hosts: Promise<readonly SshHost[]>) {
    super();
    this.#trans = trans;
    hosts.then(
      found => {
        this.#hosts = found;
        this.update();
      },
      (error: unknown) => {
        this.#problem = sentenceOf(error);
        this.update();
      },
    );
  }

  protected override content(): TemplateResult {
    const trans = this.#trans;
    const typed = (take: (text: string) => void) => (event: Event) => {
      if (event.target instanceof HTMLInputElement) {
        take(event.target.value.trim());
      }
    };
    return html`<div class="jp-Hitch-form">
      ${this.#named()}
      <label>
        <span>${trans.__('Machine (a name that your ssh knows, or user@address)')}</span>
        <input
          class="jp-mod-styled"
          name="machine"
          list=${HOSTS}
          placeholder="me@192.0.2.7"
          autocomplete="off"
          spellcheck="false"
          .value=${this.machine}
          @input=${typed(text => (this.machine = text))}
        />
        <datalist id=${HOSTS}>
          ${(this.#hosts ?? []).map(({ name }) => html`<option value=${name}></option>`)}
        </datalist>
      </label>
      <label>
        <span
          >${trans.__('Its price per hour in dollars, for limits and reports (empty: none, or as before)')}</span
        >
        <input
          class="jp-mod-styled"
          name="price"
          placeholder="0.50"
          inputmode="decimal"
          autocomplete="off"
          @input=${typed(text => (this.price = text))}
        />
      </label>
      <p class="jp-Hitch-quiet">
        ${trans.__('Hitch connects with your own ssh: its keys, jump hosts and agent.')}
      </p>
    </div>`;
  }

  /** The hosts of the configuration, to be chosen with a press. */
  #named(): TemplateResult {
    const trans = this.#trans;
    if (this.#problem !== null) {
      return html`<p class="jp-Hitch-problem" role="alert">${this.#problem}</p>`;
    }
    if (this.#hosts === null) {
      return html`<p class="jp-Hitch-quiet" role="status">${trans.__('Reading your ssh configuration…')}</p>`;
    }
    if (this.#hosts.length === 0) {
      return html`<p class="jp-Hitch-quiet">${trans.__('Your ssh configuration names no machine.')}</p>`;
    }
    return html`<fieldset class="jp-Hitch-hosts">
      <legend>${trans.__('In your ssh configuration')}</legend>
      ${this.#hosts.map(host => {
        const line = sshHostLine(host);
        return html`<label>
          <input
            type="radio"
            name="ssh-host"
            value=${host.name}
            .checked=${this.machine === host.name}
            @change=${() => {
              this.machine = host.name;
              this.update();
            }}
          />
          <span>${host.name}</span>
          ${line === '' ? nothing : html`<span class="jp-Hitch-quiet">${line}</span>`}
        </label>`;
      })}
    </fieldset>`;
  }
}

/** Null when the person changed their mind, or entered what cannot be taken, which is then said. */
export async function askForMachine(deps: Deps, again: () => void): Promise<MachineWanted | null> {
  const { trans, hitch } = deps;
  const form = new MachineForm(deps, hitch.client.api.networks.sshHosts());
  const answer = await ask<'add'>(trans, {
    title: trans.__('Add your own machine'),
    body: form,
    choices: [{ value: 'add', label: trans.__('Add…') }],
    usual: 'add',
    focus: 'input[name=machine]',
  });
  if (answer === null) {
    return null;
  }
  const price = readMachinePrice(form.price);
  const problem =
    form.machine === '' ? trans.__('No machine was named.') : 'problem' in price ? price.problem : null;
  if (problem !== null) {
    failed(problem, { label: trans.__('Try again'), run: again });
    return null;
  }
  return { machine: form.machine, ...('problem' in price ? {} : price) };
}
