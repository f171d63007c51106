/** The views as classes and types. Importing this registers nothing; `@hitch/views/define` does. */
export { HitchElement } from './base/element.ts';
export { asWritten, type Translate } from './base/translate.ts';
export type { HitchEvent, HitchEventDetails, HitchEventName, OfferSort } from './events.ts';
export { HitchOfferTable, type OfferQueryFunction } from './offers/offer-table.ts';
export { HitchJobCompare } from './job/compare.ts';
export { HitchJob } from './job/job.ts';
export { HitchJobLog, type JobLogFunction, type JobSearchFunction } from './job/job-log.ts';
export { HitchMetrics, type JobMetricsFunction } from './job/metrics.ts';
export { HitchTemplates, type TemplateChoice, type TemplateShowFunction } from './templates/templates.ts';
export type { RunLimitChanges } from './templates/run-limits.ts';
export { HitchTimeline } from './timeline/timeline.ts';
export { HitchUse, type NodeUseFunction, type UseNode } from './use/use.ts';
export { HitchCostPlot } from './cost/cost-plot.ts';
export { HitchRentForm, type FormProblem } from './rent/rent-form.ts';
export type { PackagesLock, WantedPackages } from './rent/packages-part.ts';
export { HitchConfirm } from './rent/confirm.ts';
export { adoptJupyterTheme, JUPYTER_THEME_CLASS, jupyterTheme } from './theme.ts';
