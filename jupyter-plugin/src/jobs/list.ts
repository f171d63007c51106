/** The list of jobs below the clusters: each is a button that opens its tab, and two of them can be compared. */
import { format, type Job, jobStandLine, shownName, workWordsOf } from '@hitch/contract';
import { course, glanceWords } from '@hitch/contract/src/metrics/words.ts';
import { type ClusterRayJob, rayJobLine, rayStopWords } from '@hitch/contract/src/ray-jobs.ts';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import type { Deps } from '../actions/deps.ts';
import { NEIGHBOURS } from '../actions/ids.ts';
import type { JobsModel } from './model.ts';

/** All of them stand in `hitch job ls`. */
const SHOWN = 20;

export function jobList(deps: Deps, model: JobsModel): TemplateResult | typeof nothing {
  const { commands, trans } = deps;
  const { jobs, ofRay } = model;
  if (jobs.length + ofRay.length === 0 || !commands.hasCommand(NEIGHBOURS.openJob)) {
    return nothing;
  }
  const more = jobs.length - SHOWN;
  return html`<section class="jp-Hitch-jobs" aria-label=${trans.__('Jobs')}>
    <h2 class="jp-Hitch-title">${trans.__('Jobs')}</h2>
    <ul>
      ${jobs.slice(0, SHOWN).map(job => jobRow(deps, model, job))}
    </ul>
    ${more <= 0 ? nothing : html`<p class="jp-Hitch-quiet">${trans.__('%1 older ones: hitch job ls', more.toString())}</p>`}
    ${jobs.length < 2 ? nothing : compareButton(deps, model)} ${rayList(deps, ofRay)}
  </section>`;
}

function jobRow({ commands, trans, now }: Deps, model: JobsModel, job: Job): TemplateResult {
  return html`<li class="jp-Hitch-jobRow">
    <input
      type="checkbox"
      aria-label=${trans.__('Compare %1', job.name)}
      title=${trans.__('Compare with another job')}
      .checked=${model.chosen.includes(job.id)}
      @change=${() => model.choose(job.id)}
    />
    <button
      type="button"
      class="jp-Hitch-job"
      data-job=${job.name}
      title=${workWordsOf(job.spec)}
      @click=${() => void commands.execute(NEIGHBOURS.openJob, { jobId: job.id })}
    >
      <span class="jp-Hitch-jobName">${job.name}</span>
      <span class="jp-Hitch-quiet">${jobStandLine(job, now())}${cost(job)}${figure(job)}</span>
      ${curve(job)}
    </button>
  </li>`;
}

function compareButton({ commands, trans }: Deps, { chosen }: JobsModel): TemplateResult {
  const [one, other] = chosen;
  const canCompare = one !== undefined && other !== undefined;
  return html`<button
    type="button"
    class="jp-Hitch-link"
    ?disabled=${!canCompare}
    title=${canCompare ? '' : trans.__('Choose two jobs')}
    @click=${() => {
      if (canCompare) {
        void commands.execute(NEIGHBOURS.compareJobs, { one, other });
      }
    }}
  >
    ${trans.__('Compare the two that are chosen')}
  </button>`;
}

/** Ray's own are Ray's to stop: they are only shown, with how that is done. */
function rayList({ trans, now }: Deps, jobs: readonly ClusterRayJob[]): TemplateResult | typeof nothing {
  if (jobs.length === 0) {
    return nothing;
  }
  return html`<h3 class="jp-Hitch-title">${trans.__('Submitted to Ray itself')}</h3>
    <ul aria-label=${trans.__('Submitted to Ray itself')}>
      ${jobs.slice(0, SHOWN).map(
        job =>
          html`<li class="jp-Hitch-rayJob" title=${rayStopWords(job)}>
            <span class="jp-Hitch-jobName">${shownName(job.entrypoint)}</span>
            <span class="jp-Hitch-quiet">${job.clusterName}: ${rayJobLine(job, now())}</span>
          </li>`,
      )}
    </ul>
    <p class="jp-Hitch-quiet">
      ${trans.__('Ray runs these: stop them with ray job stop, in a terminal of the cluster.')}
      ${jobs.length > SHOWN ? trans.__('%1 more: hitch job ls --ray', (jobs.length - SHOWN).toString()) : nothing}
    </p>`;
}

const cost = ({ costMicroUsd }: Job): string =>
  costMicroUsd === null ? '' : `, ${format.dollars(costMicroUsd)}`;

const figure = ({ glance }: Job): string => (glance === undefined ? '' : `, ${glanceWords(glance)}`);

/** For the eye alone: what it shows is said beside it. */
function curve({ glance }: Job): TemplateResult | typeof nothing {
  const text = course(glance?.values ?? []);
  return text === '' ? nothing : html`<span class="jp-Hitch-quiet" aria-hidden="true">${text}</span>`;
}
