/** Registers the views that only show: for a page whose host asks and confirms by itself. Doing it twice is harmless. */
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import { HitchCostPlot } from './cost/cost-plot.ts';
import { HitchJobCompare } from './job/compare.ts';
import { HitchJob } from './job/job.ts';
import { HitchMetrics } from './job/metrics.ts';
import { HitchJobLog } from './job/job-log.ts';
import { HitchFilterBar } from './offers/filter-bar.ts';
import { HitchOfferTable } from './offers/offer-table.ts';
import { register } from './register.ts';
import { HitchTemplates } from './templates/templates.ts';
import { HitchTimeline } from './timeline/timeline.ts';
import { HitchUse } from './use/use.ts';

declare global {
  interface HTMLElementTagNameMap {
    'hitch-offer-table': HitchOfferTable;
    'hitch-filter-bar': HitchFilterBar;
    'hitch-job': HitchJob;
    'hitch-metrics': HitchMetrics;
    'hitch-job-compare': HitchJobCompare;
    'hitch-job-log': HitchJobLog;
    'hitch-templates': HitchTemplates;
    'hitch-timeline': HitchTimeline;
    'hitch-cost-plot': HitchCostPlot;
    'hitch-use': HitchUse;
  }
}

register({
  'hitch-offer-table': HitchOfferTable,
  'hitch-filter-bar': HitchFilterBar,
  'hitch-job': HitchJob,
  'hitch-metrics': HitchMetrics,
  'hitch-job-compare': HitchJobCompare,
  'hitch-job-log': HitchJobLog,
  'hitch-templates': HitchTemplates,
  'hitch-timeline': HitchTimeline,
  'hitch-cost-plot': HitchCostPlot,
  'hitch-use': HitchUse,
});
