/** What the views tell their host, typed for `addEventListener`. All events bubble and leave shadow roots. */
import type { Offer, OfferFilter, OfferQuery, QuoteRequest, TemplateDetails } from '@hitch/contract';
import type { RunLimits } from '@hitch/contract/src/templates/run-wish.ts';
import type { WantedPackages } from './rent/packages-part.ts';
import type { TemplateChoice } from './templates/templates.ts';

export type OfferSort = OfferQuery['sort'];

export interface HitchEventDetails {
  /**
   * A person wants to rent these, the first one first; the confirm dialog is still to come. The filter is what the table
   * has shown, its own first one too: what is tried besides these keeps to it.
   */
  'hitch-rent': {
    readonly offers: readonly Offer[];
    readonly nodes: number;
    readonly filter: OfferFilter;
  };
  /** Another filter or order; hosts keep it for the next time. */
  'hitch-filter-change': { readonly filter: OfferFilter; readonly sort: OfferSort };
  /** These columns are wanted, by their ids; null: as many as fit. Hosts keep it for the next time. */
  'hitch-columns-change': { readonly columns: readonly string[] | null };
  /** These stand side by side now; none when the comparison is closed. */
  'hitch-compare': { readonly offers: readonly Offer[] };
  /** A person wants to log in to a network or to add a machine of their own. */
  'hitch-connect': null;
  /** A person wants the networks asked again; the host does it and then calls the table's `refresh()`. */
  'hitch-refresh': null;
  /** What was chosen before the confirm dialog: the host asks the daemon for this quote and shows `<hitch-confirm>`. */
  'hitch-quote-request': {
    readonly request: QuoteRequest;
    /** Null: the daemon chooses one. */
    readonly name: string | null;
    /** Paths on this computer to send once the notebook is ready. */
    readonly send: readonly string[];
  };
  /** A person wants to choose files or folders of this computer; the host adds them to the form's `send`. */
  'hitch-choose-files': null;
  /** A person wants to store a secret that this cluster may then read. */
  'hitch-add-secret': null;
  /** Packages of a file are to be locked; the host gives what comes of it to the form's `packagesLock`. */
  'hitch-lock-packages': WantedPackages;
  /** A person wants the window in which the yes is said. */
  'hitch-confirm': null;
  /** What waited is too old or was refused; the same request again, please. */
  'hitch-quote-again': null;
  /** Back, nothing is rented. */
  'hitch-cancel': null;
  /** A person wants the job that is shown stopped, run again, or its outputs fetched. */
  'hitch-job': { readonly action: 'stop' | 'again' | 'fetch' | 'fetchCheckpoint' };
  /** Another template, preset or value; hosts keep it for the next time. */
  'hitch-template-choice': TemplateChoice;
  /** The form is filled in: the host shows the offers that fit, then the ordinary way to the price and the yes. */
  'hitch-template-rent': { readonly choice: TemplateChoice; readonly details: TemplateDetails };
  /** The form of one with a command is filled in: the host asks for the quote of its job and shows it for the yes. */
  'hitch-template-run': {
    readonly choice: TemplateChoice;
    readonly details: TemplateDetails;
    readonly limits: RunLimits;
  };
  /** The quote is not waited for any more. */
  'hitch-template-leave': null;
  /** A person wants to add a folder that templates lie in. */
  'hitch-template-folder': null;
}

export type HitchEventName = keyof HitchEventDetails;

/** Such as `HitchEvent<'hitch-rent'>`, for a listener's parameter. */
export type HitchEvent<Name extends HitchEventName> = CustomEvent<HitchEventDetails[Name]>;

declare global {
  interface HTMLElementEventMap {
    'hitch-rent': HitchEvent<'hitch-rent'>;
    'hitch-filter-change': HitchEvent<'hitch-filter-change'>;
    'hitch-columns-change': HitchEvent<'hitch-columns-change'>;
    'hitch-compare': HitchEvent<'hitch-compare'>;
    'hitch-connect': HitchEvent<'hitch-connect'>;
    'hitch-refresh': HitchEvent<'hitch-refresh'>;
    'hitch-quote-request': HitchEvent<'hitch-quote-request'>;
    'hitch-choose-files': HitchEvent<'hitch-choose-files'>;
    'hitch-add-secret': HitchEvent<'hitch-add-secret'>;
    'hitch-lock-packages': HitchEvent<'hitch-lock-packages'>;
    'hitch-confirm': HitchEvent<'hitch-confirm'>;
    'hitch-quote-again': HitchEvent<'hitch-quote-again'>;
    'hitch-cancel': HitchEvent<'hitch-cancel'>;
    'hitch-job': HitchEvent<'hitch-job'>;
    'hitch-template-choice': HitchEvent<'hitch-template-choice'>;
    'hitch-template-rent': HitchEvent<'hitch-template-rent'>;
    'hitch-template-run': HitchEvent<'hitch-template-run'>;
    'hitch-template-leave': HitchEvent<'hitch-template-leave'>;
    'hitch-template-folder': HitchEvent<'hitch-template-folder'>;
  }
}
