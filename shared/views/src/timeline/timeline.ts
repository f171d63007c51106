/** `<hitch-timeline>`: how a cluster came to be and what happened to it, in lanes and as a list. */
import { html } from 'lit';
import type { Cluster, ClusterEvent } from '@hitch/contract';
import { HitchElement } from '../base/element.ts';

export class HitchTimeline extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    cluster: { attribute: false },
    events: { attribute: false },
  };

  declare cluster: Cluster | null;
  /** In the order of their numbers; a host that learns of more sets a longer array. */
  declare events: readonly ClusterEvent[];

  constructor() {
    super();
    this.cluster = null;
    this.events = [];
  }

  protected override render() {
    return html``;
  }
}
