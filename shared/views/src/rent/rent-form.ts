/** `<hitch-rent-form>`: what is chosen between the offer table and the confirm dialog. */
import { html } from 'lit';
import type { Offer, ProviderInfo, QuoteRequest, TemplateInfo } from '@hitch/contract';
import { HitchElement } from '../base/element.ts';

/** A refusal of the daemon, beside the field it is about. */
export interface FormProblem {
  /** As in the error envelope, such as `capMicroUsd`; null: about the whole. */
  readonly field: string | null;
  readonly sentence: string;
}

/**
 * @fires hitch-quote-request everything is valid and a price is asked for
 * @fires hitch-cancel back to the table
 * @fires hitch-choose-files the host's own picker is wanted
 * @fires hitch-add-secret a secret is to be stored first
 */
export class HitchRentForm extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    offers: { attribute: false },
    nodes: { attribute: false },
    providers: { attribute: false },
    templates: { attribute: false },
    secretNames: { attribute: false },
    takenNames: { attribute: false },
    defaults: { attribute: false },
    send: { attribute: false },
    canChooseFiles: { attribute: false },
    problem: { attribute: false },
    busy: { type: Boolean },
  };

  /** Chosen in the table, the first one first. */
  declare offers: readonly Offer[];
  declare nodes: number;
  declare providers: readonly ProviderInfo[];
  declare templates: readonly TemplateInfo[];
  /** Secrets that are stored and may be given. */
  declare secretNames: readonly string[];
  /** Names of clusters that are there already. */
  declare takenNames: readonly string[];
  /** What the form begins with where it is not the usual. */
  declare defaults: Partial<QuoteRequest> & { readonly name?: string };
  /** Paths on this computer to send once the notebook is ready; a host's picker adds to them. */
  declare send: readonly string[];
  /** Whether the host has a picker: shows *Choose…*. */
  declare canChooseFiles: boolean;
  /** What the daemon said against the last request. */
  declare problem: FormProblem | null;
  /** A quote is being asked for. */
  declare busy: boolean;

  constructor() {
    super();
    this.offers = [];
    this.nodes = 1;
    this.providers = [];
    this.templates = [];
    this.secretNames = [];
    this.takenNames = [];
    this.defaults = {};
    this.send = [];
    this.canChooseFiles = false;
    this.problem = null;
    this.busy = false;
  }

  protected override render() {
    return html``;
  }
}
