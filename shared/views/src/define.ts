/** Registers the views and the parts of the kit that they use. Doing it twice on a page is harmless. */
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import { HitchCostPlot } from './cost/cost-plot.ts';
import { HitchFilterBar } from './offers/filter-bar.ts';
import { HitchOfferTable } from './offers/offer-table.ts';
import { HitchConfirm } from './rent/confirm.ts';
import { HitchRentForm } from './rent/rent-form.ts';
import { HitchTimeline } from './timeline/timeline.ts';

declare global {
  interface HTMLElementTagNameMap {
    'hitch-offer-table': HitchOfferTable;
    'hitch-filter-bar': HitchFilterBar;
    'hitch-timeline': HitchTimeline;
    'hitch-cost-plot': HitchCostPlot;
    'hitch-rent-form': HitchRentForm;
    'hitch-confirm': HitchConfirm;
  }
}

const elements = {
  'hitch-offer-table': HitchOfferTable,
  'hitch-filter-bar': HitchFilterBar,
  'hitch-timeline': HitchTimeline,
  'hitch-cost-plot': HitchCostPlot,
  'hitch-rent-form': HitchRentForm,
  'hitch-confirm': HitchConfirm,
};

for (const [name, element] of Object.entries(elements)) {
  if (customElements.get(name) === undefined) {
    customElements.define(name, element);
  }
}
