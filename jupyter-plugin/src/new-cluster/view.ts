/** New cluster: the offers, then what to rent, then what a person says yes to. What is rented goes on in a tab of its own. */
import '@hitch/views/define';
import {
  adoptJupyterTheme,
  JUPYTER_THEME_CLASS,
  type FormProblem,
  type HitchEvent,
  type TemplateChoice,
} from '@hitch/views';
import {
  HitchError,
  type ClusterId,
  type Offer,
  type OfferFilter,
  type OfferQuery,
  type QuoteRequest,
  type TemplateInfo,
} from '@hitch/contract';
import { PageConfig } from '@jupyterlab/coreutils';
import { MessageLoop, type Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import type { Deps } from '../actions/deps.ts';
import { COMMANDS, NEIGHBOURS } from '../actions/ids.ts';
import { attempt, sentenceOf } from '../actions/report.ts';
import { approve } from '../approval/approve.ts';
import { DEFAULT_PREFERENCES, firstFilter, firstLimits } from '../settings/preferences.ts';
import { LitWidget } from '../ui/lit-widget.ts';
import { viewWords } from '../ui/view-words.ts';
import { defaultsFor, searchFor, type ForTemplate } from './for-template.ts';
import { PackagesModel } from './packages.ts';
import { addSecret } from './secret.ts';

export interface NewClusterOptions {
  readonly deps: Deps;
  /** Lets a person choose files to send; null where there is nothing to choose with. */
  readonly chooseFiles: (() => Promise<readonly string[]>) | null;
  /** Where packages are looked for: a folder below the server's root. */
  readonly folder: () => string;
  /** A cluster was rented; `send`: the files that go there once its notebook is ready. */
  readonly rented: (clusterId: ClusterId, send: readonly string[]) => void;
}

interface Chosen {
  readonly offers: readonly Offer[];
  readonly nodes: number;
  /** Made once for a choice: limits that moved with the clock would overwrite what is typed. */
  readonly defaults: Partial<QuoteRequest>;
}

export class NewClusterView extends LitWidget {
  readonly #options: NewClusterOptions;
  readonly #end = new AbortController();
  readonly #packages: PackagesModel;
  /** What a person chose for this visit; null: the settings' first filter. */
  #filter: OfferFilter | null = null;
  #sort: OfferQuery['sort'] = { key: 'best', descending: false };
  #chosen: Chosen | null = null;
  /** What is rented is for this one; null: none was chosen. */
  #for: ForTemplate | null = null;
  #templates: readonly TemplateInfo[] = [];
  #secretNames: readonly string[] = [];
  #send: readonly string[] = [];
  #busy = false;
  #problem: FormProblem | null = null;

  constructor(options: NewClusterOptions) {
    super();
    adoptJupyterTheme(document);
    this.#options = options;
    this.#packages = new PackagesModel(
      () => options.deps.hitch.client.api,
      () => this.update(),
    );
    this.addClass('jp-Hitch-new');
    this.addClass(JUPYTER_THEME_CLASS);
    options.deps.hitch.changed.connect(this.#changed, this);
    options.deps.preferences.changed.connect(this.#changed, this);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.#end.abort();
      this.#packages.dispose();
      super.dispose();
    }
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.querySelector<HTMLElement>('hitch-rent-form, hitch-offer-table')?.focus();
  }

  #changed(): void {
    this.update();
  }

  readonly #query = (query: OfferQuery, signal: AbortSignal) =>
    this.#options.deps.hitch.client.api.offers.query(query, {
      signal: AbortSignal.any([signal, this.#end.signal]),
    });

  async #refresh(): Promise<void> {
    const { deps } = this.#options;
    await attempt(
      deps,
      () => deps.hitch.client.api.offers.refresh({}),
      () => void this.#refresh(),
    );
    this.node.querySelector('hitch-offer-table')?.refresh();
  }

  #columns(): readonly string[] | null {
    const { offerColumns } = this.#options.deps.preferences.present;
    return offerColumns.length === 0 ? null : offerColumns;
  }

  async #keepColumns(columns: readonly string[]): Promise<void> {
    const { deps } = this.#options;
    await attempt(
      deps,
      () => deps.preferences.keep('offerColumns', [...columns]),
      () => void this.#keepColumns(columns),
    );
  }

  #shownFilter(): OfferFilter {
    const { hitch, preferences } = this.#options.deps;
    const first = (): OfferFilter =>
      this.#for === null
        ? firstFilter(preferences.present, hitch.providers)
        : searchFor(this.#for, preferences.present, hitch.providers);
    return this.#filter ?? first();
  }

  /** Shows the offers that fit a template; what is chosen among them is rented for it. */
  async rentFor(choice: TemplateChoice): Promise<void> {
    const { deps } = this.#options;
    const { template, preset, values } = choice;
    const details = await attempt(
      deps,
      () =>
        deps.hitch.client.api.templates.show(
          { template, values: { ...values }, ...(preset === null ? {} : { preset }) },
          { signal: this.#end.signal },
        ),
      () => void this.rentFor(choice),
    );
    if (details !== null) {
      this.#for = { choice, details };
      this.#filter = null;
      this.#back();
    }
  }

  #forNone(): void {
    this.#for = null;
    this.#filter = null;
    this.#back();
  }

  #choose({ detail }: HitchEvent<'hitch-rent'>): void {
    const { preferences, now } = this.#options.deps;
    const { stopAtMs, ...limits } = firstLimits(preferences.present, now());
    const asUsual = preferences.present.stopAfterHours === DEFAULT_PREFERENCES.stopAfterHours;
    const filter = this.#shownFilter();
    const defaults =
      this.#for === null
        ? { ...limits, ...(asUsual ? {} : { stopAtMs }) }
        : defaultsFor(this.#for, preferences.present, now());
    const nodes = Math.max(detail.nodes, this.#for?.details.rent?.nodes ?? 1);
    this.#chosen = { ...detail, nodes, defaults: { ...defaults, filter } };
    this.#show({ busy: false, problem: null });
    void this.#focus();
    void this.#learn();
  }

  /** The form is usable without them; they come when they come. */
  async #learn(): Promise<void> {
    const { api } = this.#options.deps.hitch.client;
    const call = { signal: this.#end.signal };
    void this.#packages.look(this.#options.folder(), this.#end.signal);
    const [templates, secrets] = await Promise.allSettled([
      api.templates.list(undefined, call),
      api.secrets.list(undefined, call),
    ]);
    this.#templates = templates.status === 'fulfilled' ? templates.value : this.#templates;
    this.#secretNames = secrets.status === 'fulfilled' ? secrets.value.names : this.#secretNames;
    this.update();
  }

  #back(): void {
    this.#chosen = null;
    this.#show({ busy: false, problem: null });
    void this.#focus();
  }

  /**
   * What is in front has the focus: what had it is hidden now, or could not have it while it was busy. Who has gone
   * elsewhere meanwhile stays there.
   */
  async #focus(): Promise<void> {
    MessageLoop.sendMessage(this, Widget.Msg.UpdateRequest);
    const front = this.node.querySelector(this.#chosen === null ? 'hitch-offer-table' : 'hitch-rent-form');
    await front?.updateComplete;
    const { activeElement } = document;
    if (activeElement === null || activeElement === document.body || this.node.contains(activeElement)) {
      front?.focus();
    }
  }

  async #quote({ detail }: HitchEvent<'hitch-quote-request'>): Promise<void> {
    const { deps, rented } = this.#options;
    const { api } = deps.hitch.client;
    const { name, send } = detail;
    const request = { ...detail.request, sendFrom: PageConfig.getOption('serverRoot') };
    this.#show({ busy: true, problem: null });
    try {
      const rentedId = await approve(deps, async () => ({
        kind: 'rent',
        quoteId: (await api.quotes.create(request, { signal: this.#end.signal })).id,
        ...(name === null ? {} : { name }),
      }));
      this.#show({ busy: false, problem: null });
      if (rentedId !== null) {
        await deps.hitch.refresh();
        rented(rentedId, send);
        return;
      }
    } catch (error) {
      const field = error instanceof HitchError ? (error.field ?? null) : null;
      this.#show({ busy: false, problem: { field, sentence: sentenceOf(error) } });
    }
    await this.#focus();
  }

  #show({ busy, problem }: { busy: boolean; problem: FormProblem | null }): void {
    this.#busy = busy;
    this.#problem = problem;
    this.update();
  }

  async #chooseFiles(): Promise<void> {
    const more = (await this.#options.chooseFiles?.()) ?? [];
    this.#send = [...new Set([...this.#send, ...more])];
    this.update();
  }

  async #secret(): Promise<void> {
    const name = await addSecret(this.#options.deps);
    if (name !== null) {
      this.#secretNames = [...new Set([...this.#secretNames, name])];
      this.update();
    }
  }

  protected override content(): TemplateResult {
    const { hitch, trans, commands } = this.#options.deps;
    const { link, providers } = hitch;
    const chosen = this.#chosen;
    // The networks decide whether practice comes first, so the table waits for them.
    const known = providers.length > 0;
    return html`
      ${this.#for === null ? nothing : this.#forLine(this.#for)}
      <hitch-offer-table
        ?hidden=${chosen !== null}
        .messages=${viewWords(trans)}
        .query=${known ? this.#query : null}
        .providers=${known ? providers : null}
        .filter=${known ? this.#shownFilter() : null}
        .sort=${this.#sort}
        .columnChoice=${this.#columns()}
        .offline=${link.state === 'down' ? link.sentence : null}
        @hitch-rent=${(event: HitchEvent<'hitch-rent'>) => this.#choose(event)}
        @hitch-filter-change=${({ detail }: HitchEvent<'hitch-filter-change'>) => {
          this.#filter = detail.filter;
          this.#sort = detail.sort;
          this.update();
        }}
        @hitch-columns-change=${({ detail }: HitchEvent<'hitch-columns-change'>) =>
          void this.#keepColumns(detail.columns ?? [])}
        @hitch-refresh=${() => void this.#refresh()}
        @hitch-connect=${() => void commands.execute(COMMANDS.networks)}
      ></hitch-offer-table>
      ${chosen === null ? nothing : this.#form(chosen)}
    `;
  }

  #forLine({ details }: ForTemplate): TemplateResult {
    const { trans, commands } = this.#options.deps;
    return html`<div class="jp-Hitch-banner jp-Hitch-for" role="status">
      <span>${trans.__('For the template “%1”: the offers that fit it.', details.info.title)}</span>
      ${
        commands.hasCommand(NEIGHBOURS.templates)
          ? html`<button
              type="button"
              class="jp-Hitch-link"
              @click=${() => void commands.execute(NEIGHBOURS.templates)}
            >
              ${trans.__('Back to its settings')}
            </button>`
          : nothing
      }
      <button type="button" class="jp-Hitch-link" @click=${() => this.#forNone()}>
        ${trans.__('Rent without it')}
      </button>
    </div>`;
  }

  /** With the one that is rented for, which may lie in a folder that no list names. */
  #known(): readonly TemplateInfo[] {
    const info = this.#for?.details.info;
    const isKnown = info === undefined || this.#templates.some(({ id }) => id === info.id);
    return isKnown ? this.#templates : [...this.#templates, info];
  }

  #form({ offers, nodes, defaults }: Chosen): TemplateResult {
    const { deps, chooseFiles } = this.#options;
    const { hitch, trans } = deps;
    return html`<hitch-rent-form
      .messages=${viewWords(trans)}
      .offers=${offers}
      .nodes=${nodes}
      .providers=${hitch.providers}
      .templates=${this.#known()}
      .secretNames=${[...new Set([...this.#secretNames, ...(defaults.secrets ?? [])])]}
      .takenNames=${hitch.clusters.map(({ name }) => name)}
      .defaults=${defaults}
      .send=${this.#send}
      .canChooseFiles=${chooseFiles !== null}
      .environmentFiles=${this.#packages.found}
      .packagesLock=${this.#packages.lock}
      .problem=${this.#problem}
      .busy=${this.#busy}
      @hitch-quote-request=${(event: HitchEvent<'hitch-quote-request'>) => void this.#quote(event)}
      @hitch-cancel=${() => this.#back()}
      @hitch-choose-files=${() => void this.#chooseFiles()}
      @hitch-add-secret=${() => void this.#secret()}
      @hitch-lock-packages=${({ detail }: HitchEvent<'hitch-lock-packages'>) =>
        void this.#packages.pin(detail)}
    ></hitch-rent-form>`;
  }
}
