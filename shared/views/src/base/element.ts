/** What all views share: their words, their clock, and events that leave every shadow root. */
import { LitElement } from 'lit';
import { asWritten, type Translate } from './translate.ts';
import type { HitchEventDetails } from '../events.ts';

export abstract class HitchElement extends LitElement {
  static override properties = {
    messages: { attribute: false },
    now: { attribute: false },
  };

  /** The host's translation; English as written until it is set. */
  declare messages: Translate;
  /** The present, ms since the epoch. */
  declare now: () => number;

  constructor() {
    super();
    this.messages = asWritten;
    this.now = () => Date.now();
  }

  protected emit<Name extends keyof HitchEventDetails>(name: Name, detail: HitchEventDetails[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
