/** What a login asks for. Its values go to the daemon with the request that a person approves, and stay nowhere here. */
import type { LoginField, NetworkInfo } from '@hitch/contract';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import { ask } from '../actions/ask.ts';
import type { Deps } from '../actions/deps.ts';
import { failed } from '../actions/report.ts';
import { DialogForm } from '../ui/dialog-form.ts';

const isWebAddress = (url: string): boolean => /^https:\/\//.test(url);

class LoginForm extends DialogForm {
  readonly #trans;
  readonly #network;
  readonly values = new Map<string, string>();

  constructor({ trans }: Pick<Deps, 'trans'>, network: NetworkInfo) {
    super();
    this.#trans = trans;
    this.#network = network;
  }

  protected override content(): TemplateResult {
    const trans = this.#trans;
    const { login } = this.#network;
    const scopes = login?.scopes ?? [];
    return html`<div class="jp-Hitch-form">
      ${(login?.fields ?? []).map(field => this.#field(field))}
      ${
        scopes.length === 0
          ? nothing
          : html`<div>
              <p>${trans.__('The key needs no more than this:')}</p>
              <ul class="jp-Hitch-lines">
                ${scopes.map(({ scope, why }) => html`<li>${trans.__('%1: %2', scope, why)}</li>`)}
              </ul>
            </div>`
      }
      <p class="jp-Hitch-quiet">
        ${trans.__('Hitch asks the network once whether it is accepted, and keeps it on this computer only then.')}
      </p>
    </div>`;
  }

  #field({ name, label, secret, help, url }: LoginField): TemplateResult {
    const typed = ({ target }: Event) => {
      if (target instanceof HTMLInputElement) {
        this.values.set(name, target.value.trim());
      }
    };
    return html`<label>
      <span>${label}</span>
      <input
        class="jp-mod-styled"
        name=${`login-${name}`}
        type=${secret ? 'password' : 'text'}
        autocomplete="off"
        spellcheck="false"
        @input=${typed}
      />
      ${help === null ? nothing : html`<span class="jp-Hitch-quiet">${help}</span>`}
      ${
        url !== null && isWebAddress(url)
          ? html`<a href=${url} target="_blank" rel="noopener noreferrer">${url}</a>`
          : nothing
      }
    </label>`;
  }
}

/** Null when the person changed their mind, or left something out, which is then said. */
export async function askForLogin(
  deps: Deps,
  network: NetworkInfo,
  again: () => void,
): Promise<Record<string, string> | null> {
  const { trans } = deps;
  const form = new LoginForm(deps, network);
  const answer = await ask<'login'>(trans, {
    title: trans.__('Log in to %1', network.title),
    body: form,
    choices: [{ value: 'login', label: trans.__('Log in…') }],
    usual: 'login',
    focus: 'input',
  });
  if (answer === null) {
    return null;
  }
  const fields = network.login?.fields ?? [];
  const missing = fields.find(({ name }) => (form.values.get(name) ?? '') === '');
  if (missing !== undefined) {
    failed(trans.__('Nothing was entered for “%1”; nothing was stored.', missing.label), {
      label: trans.__('Try again'),
      run: again,
    });
    return null;
  }
  return Object.fromEntries(fields.map(({ name }) => [name, form.values.get(name) ?? '']));
}
