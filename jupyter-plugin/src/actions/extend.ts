/** Extend…: a later stop time, a higher limit or another idle rule, with the price beside them. */
import { type Cluster, extendLines, HitchError } from '@hitch/contract';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import { LitWidget } from '../ui/lit-widget.ts';
import { ask } from './ask.ts';
import type { Deps } from './deps.ts';
import {
  localMoment,
  priceSentence,
  readLimits,
  typedFrom,
  type LimitChange,
  type Reading,
  type TypedLimits,
} from './extend-words.ts';
import { attempt, said, showPanelStep } from './report.ts';

const HOUR_MS = 3_600_000;

class LimitsForm extends LitWidget {
  readonly #cluster: Cluster;
  readonly #deps: Deps;
  #typed: TypedLimits;

  constructor(deps: Deps, cluster: Cluster) {
    super();
    this.#deps = deps;
    this.#cluster = cluster;
    this.#typed = typedFrom(cluster);
    this.addClass('jp-Hitch-dialogBody');
  }

  get reading(): Reading {
    return readLimits(this.#cluster, this.#typed, this.#deps.now(), this.#deps.trans);
  }

  #type(part: Partial<TypedLimits>): void {
    this.#typed = { ...this.#typed, ...part };
    this.update();
  }

  /** Later by so many hours than the stop time there is, or than now. */
  #later(hours: number): void {
    const from = this.#typed.stopAt === '' ? this.#deps.now() : new Date(this.#typed.stopAt).getTime();
    this.#type({ stopAt: localMoment(from + hours * HOUR_MS) });
  }

  protected override content(): TemplateResult {
    const { trans, now } = this.#deps;
    const { cap, stopAt, idle } = this.#typed;
    const { change, problem } = this.reading;
    const valueOf = (event: Event) => (event.target instanceof HTMLInputElement ? event.target.value : '');
    return html`<div class="jp-Hitch-form">
      <label>
        <span>${trans.__('Spending limit in dollars')}</span>
        <input
          class="jp-mod-styled"
          name="cap"
          inputmode="decimal"
          .value=${cap}
          @input=${(event: Event) => this.#type({ cap: valueOf(event) })}
        />
      </label>
      <label>
        <span>${trans.__('Stop at')}</span>
        <input
          class="jp-mod-styled"
          name="stop-at"
          type="datetime-local"
          .value=${stopAt}
          @input=${(event: Event) => this.#type({ stopAt: valueOf(event) })}
        />
      </label>
      <div class="jp-Hitch-quick" role="group" aria-label=${trans.__('Move the stop time')}>
        ${[1, 2, 4].map(
          hours =>
            html`<button
              type="button"
              class="jp-Button jp-mod-styled jp-mod-minimal"
              @click=${() => this.#later(hours)}
            >
              ${trans.__('+%1 h', hours)}
            </button>`,
        )}
        <button
          type="button"
          class="jp-Button jp-mod-styled jp-mod-minimal"
          @click=${() => this.#type({ stopAt: '' })}
        >
          ${trans.__('No stop time')}
        </button>
      </div>
      <label>
        <span>${trans.__('Stop when idle for … minutes (0 = never)')}</span>
        <input
          class="jp-mod-styled"
          name="idle"
          inputmode="numeric"
          .value=${idle}
          @input=${(event: Event) => this.#type({ idle: valueOf(event) })}
        />
      </label>
      <p class="jp-Hitch-price" role="status">
        ${problem === null ? priceSentence(this.#cluster, change, now(), trans) : nothing}
        ${problem === null ? extendLines(this.#cluster, change, now()).map(line => html`<br />${line}`) : nothing}
        ${problem === null ? nothing : html`<span class="jp-Hitch-problem">${problem}</span>`}
      </p>
    </div>`;
  }
}

export async function extend(deps: Deps, cluster: Cluster): Promise<void> {
  const { hitch, trans } = deps;
  const form = new LimitsForm(deps, cluster);
  const asking = ask<'extend'>(trans, {
    title: trans.__('Extend %1', cluster.name),
    body: form,
    choices: [{ value: 'extend', label: trans.__('Extend') }],
  });
  // The dialog disposes its body, which keeps what was typed.
  if ((await asking) === null) {
    return;
  }
  const { change, problem } = form.reading;
  const again = () => void extend(deps, cluster);
  const extended = await attempt(
    deps,
    async () => {
      if (problem !== null) {
        throw new Error(problem);
      }
      return Object.keys(change).length > 0 && (await changeLimits(deps, cluster, change));
    },
    again,
  );
  if (extended === true) {
    await hitch.refresh();
    said(trans.__('Limits of %1 changed.', cluster.name), showPanelStep(deps));
  }
}

/** Less is done at once; what allows more than before needs a person's yes. @returns whether it was changed. */
async function changeLimits(deps: Deps, { id: clusterId }: Cluster, change: LimitChange): Promise<boolean> {
  try {
    await deps.hitch.client.api.clusters.extend({ clusterId, ...change });
    return true;
  } catch (error) {
    if (!(error instanceof HitchError && error.code === 'APPROVAL_NEEDED')) {
      throw error;
    }
  }
  const { approve } = await import('../approval/approve.ts');
  return (await approve(deps, () => Promise.resolve({ kind: 'extend', clusterId, ...change }))) !== null;
}
