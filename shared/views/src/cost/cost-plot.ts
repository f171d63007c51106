/** `<hitch-cost-plot>`: what a cluster has cost so far against its cap, and when it will stop. */
import { html } from 'lit';
import type { Cluster } from '@hitch/contract';
import { HitchElement } from '../base/element.ts';

export class HitchCostPlot extends HitchElement {
  static override properties = { ...HitchElement.properties, cluster: { attribute: false } };

  declare cluster: Cluster | null;

  constructor() {
    super();
    this.cluster = null;
  }

  protected override render() {
    return html``;
  }
}
