/** What a cluster's programs run in: its packages, those that were added by hand, and how far a change is on each machine. */
import type { Cluster } from '@hitch/contract';
import {
  addedLines,
  changeLines,
  environmentFacts,
  environmentState,
} from '@hitch/contract/src/environment-words.ts';
import { html } from '@hitch/views/html';
import { nothing, type TemplateResult } from 'lit/html.js';
import type { Deps } from '../actions/deps.ts';
import { COMMAND_OF, offers, rowActionLabel } from '../actions/ids.ts';

export function packagesSection(
  { commands, trans, now }: Deps,
  cluster: Cluster,
): TemplateResult | typeof nothing {
  const { environment } = cluster;
  if (environment === undefined) {
    return nothing;
  }
  const nodes = cluster.nodes.length;
  const state = environmentState({ ...environment, change: null });
  const added = addedLines(environment, nodes, now());
  const going = environment.change;
  return html`<section aria-label=${trans.__('Packages')}>
    <h2>${trans.__('Packages')}</h2>
    <p>${environmentFacts(environment)}</p>
    <div role="status">
      ${
        going === null
          ? nothing
          : html`<p>${trans.__('Changing to %1:', going.file)}</p>
              <ul class="jp-Hitch-lines">
                ${changeLines(environment, nodes).map(line => html`<li>${line}</li>`)}
              </ul>`
      }
      ${state === null ? nothing : html`<p>${state}</p>`}
    </div>
    ${
      added.length === 0
        ? nothing
        : html`<details>
            <summary>${trans.__('Packages that were added (%1)', added.length.toString())}</summary>
            <ul class="jp-Hitch-lines">
              ${added.map(line => html`<li>${line}</li>`)}
            </ul>
          </details>`
    }
    ${(['environment', 'keepEnvironment'] as const)
      .filter(action => offers(cluster, action))
      .map(action => {
        const command = COMMAND_OF[action] ?? '';
        return html`<button
          type="button"
          class="jp-Hitch-action"
          data-action=${action}
          @click=${() => void commands.execute(command, { clusterId: cluster.id })}
        >
          ${rowActionLabel(action, cluster, id => id, trans)}
        </button>`;
      })}
  </section>`;
}
