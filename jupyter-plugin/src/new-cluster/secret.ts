/** Storing a secret that a cluster may then read. Its value goes to the daemon and is never shown again. */
import { secretNameSchema } from '@hitch/contract';
import type { TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import { ask } from '../actions/ask.ts';
import type { Deps } from '../actions/deps.ts';
import { attempt } from '../actions/report.ts';
import { LitWidget } from '../ui/lit-widget.ts';

class SecretForm extends LitWidget {
  readonly #trans;
  name = '';
  value = '';

  constructor({ trans }: Deps) {
    super();
    this.#trans = trans;
    this.addClass('jp-Hitch-dialogBody');
  }

  protected override content(): TemplateResult {
    const trans = this.#trans;
    const typed = (event: Event) => (event.target instanceof HTMLInputElement ? event.target.value : '');
    return html`<div class="jp-Hitch-form">
      <label>
        <span>${trans.__('Name (becomes an environment variable)')}</span>
        <input
          class="jp-mod-styled"
          name="secret-name"
          placeholder="HF_TOKEN"
          pattern="[A-Z][A-Z0-9_]*"
          autocomplete="off"
          @input=${(event: Event) => (this.name = typed(event).trim())}
        />
      </label>
      <label>
        <span>${trans.__('Value')}</span>
        <input
          class="jp-mod-styled"
          name="secret-value"
          type="password"
          autocomplete="off"
          @input=${(event: Event) => (this.value = typed(event))}
        />
      </label>
      <p class="jp-Hitch-quiet">
        ${trans.__('Stored on this computer; a cluster gets it only if you choose it when renting.')}
      </p>
    </div>`;
  }
}

/** The stored secret's name; null when none was stored. */
export async function addSecret(deps: Deps): Promise<string | null> {
  const { hitch, trans } = deps;
  const form = new SecretForm(deps);
  const answer = await ask<'store'>(trans, {
    title: trans.__('Add a secret'),
    body: form,
    choices: [{ value: 'store', label: trans.__('Add') }],
  });
  if (answer === null) {
    return null;
  }
  const { name, value } = form;
  const stored = await attempt(
    deps,
    async () => {
      const read = secretNameSchema.safeParse(name);
      if (!read.success) {
        throw new Error(
          trans.__('“%1” is not a valid name: use capital letters, digits and underscores.', name),
        );
      }
      if (value === '') {
        throw new Error(trans.__('The secret is empty: enter its value.'));
      }
      return hitch.client.api.secrets.set({ name, value });
    },
    () => void addSecret(deps),
  );
  return stored === null ? null : name;
}
