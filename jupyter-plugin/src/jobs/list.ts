/** The list of jobs below the clusters: each is a button that opens its tab. */
import { format, type Job, jobStandLine, workWordsOf } from '@hitch/contract';
import { course, glanceWords } from '@hitch/contract/src/metrics/words.ts';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import type { Deps } from '../actions/deps.ts';
import { NEIGHBOURS } from '../actions/ids.ts';

/** All of them stand in `hitch job ls`. */
const SHOWN = 20;

export function jobList(
  { commands, trans, now }: Deps,
  jobs: readonly Job[],
): TemplateResult | typeof nothing {
  if (jobs.length === 0 || !commands.hasCommand(NEIGHBOURS.openJob)) {
    return nothing;
  }
  const more = jobs.length - SHOWN;
  return html`<section class="jp-Hitch-jobs" aria-label=${trans.__('Jobs')}>
    <h2 class="jp-Hitch-title">${trans.__('Jobs')}</h2>
    <ul>
      ${jobs.slice(0, SHOWN).map(
        job =>
          html`<li>
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
          </li>`,
      )}
    </ul>
    ${more <= 0 ? nothing : html`<p class="jp-Hitch-quiet">${trans.__('%1 older ones: hitch job ls', more.toString())}</p>`}
  </section>`;
}

const figure = ({ glance }: Job): string => (glance === undefined ? '' : `, ${glanceWords(glance)}`);

/** For the eye alone: what it shows is said beside it. */
function curve({ glance }: Job): TemplateResult | typeof nothing {
  const text = course(glance?.values ?? []);
  return text === '' ? nothing : html`<span class="jp-Hitch-quiet" aria-hidden="true">${text}</span>`;
}

const cost = ({ costMicroUsd }: Job): string =>
  costMicroUsd === null ? '' : `, ${format.dollars(costMicroUsd)}`;
