/** The panel where there is no list to show, and what stands above a list that is not the whole truth. */
import type { Cluster } from '@hitch/contract';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import type { Deps } from '../actions/deps.ts';
import { COMMANDS } from '../actions/ids.ts';
import type { HitchLink } from '../tokens.ts';

export type PanelState = 'loading' | 'offline' | 'empty' | 'list';

export function panelState(link: Pick<HitchLink, 'state'>, clusters: readonly Cluster[]): PanelState {
  if (clusters.length > 0) {
    return 'list';
  }
  switch (link.state) {
    case 'connecting':
      return 'loading';
    case 'down':
    case 'reconnecting':
      return 'offline';
    case 'live':
      return 'empty';
  }
}

function button(label: string, primary: boolean, run: () => void): TemplateResult {
  return html`<button
    type="button"
    class="jp-Button jp-mod-styled ${primary ? 'jp-mod-accept' : 'jp-mod-reject'}"
    @click=${run}
  >
    ${label}
  </button>`;
}

export function loading({ trans }: Deps): TemplateResult {
  return html`<div class="jp-Hitch-empty" aria-busy="true">
    <div class="jp-Hitch-bone"></div>
    <div class="jp-Hitch-bone jp-mod-short"></div>
    <p class="jp-Hitch-quiet">${trans.__('Loading your clusters…')}</p>
  </div>`;
}

export function empty({ trans, commands }: Deps): TemplateResult {
  return html`<div class="jp-Hitch-empty">
    <p>${trans.__('Rent GPUs by the hour and run your notebooks on them, without leaving JupyterLab.')}</p>
    <ol>
      <li>${trans.__('Choose an offer and see the full price before you rent.')}</li>
      <li>${trans.__('Run your notebook on it and copy files to it.')}</li>
      <li>${trans.__('It stops by itself at your limits, and first saves the files you chose.')}</li>
    </ol>
    ${button(trans.__('New cluster'), true, () => void commands.execute(COMMANDS.newCluster))}
    ${
      commands.hasCommand(COMMANDS.networks)
        ? button(trans.__('Connect a network…'), false, () => void commands.execute(COMMANDS.networks))
        : nothing
    }
    <p class="jp-Hitch-quiet">${trans.__('The practice market is free: try everything there first.')}</p>
  </div>`;
}

export function offline({ trans, hitch }: Deps, again: () => void): TemplateResult {
  return html`<div class="jp-Hitch-empty" role="alert">
    <p>${hitch.link.sentence}</p>
    <p class="jp-Hitch-quiet">${trans.__('Running clusters keep running, within their limits.')}</p>
    ${button(trans.__('Start Hitch'), true, again)}
  </div>`;
}

/** Above the list: what of it may be old, and what does not work here. */
export function banners({ trans, hitch }: Deps, again: () => void): TemplateResult {
  const { link, limits, clusters } = hitch;
  const stale = clusters.length > 0 && (link.state === 'down' || link.state === 'reconnecting');
  const practice = clusters.length > 0 && clusters.every(cluster => cluster.practice);
  return html`
    ${
      stale
        ? html`<div class="jp-Hitch-banner jp-mod-warn" role="status">
            <span>${link.sentence} ${trans.__('Showing the last known state.')}</span>
            <button type="button" class="jp-Hitch-link" @click=${again}>
              ${link.state === 'down' ? trans.__('Start Hitch') : trans.__('Try now')}
            </button>
          </div>`
        : nothing
    }
    ${limits.map(sentence => html`<div class="jp-Hitch-banner jp-mod-warn" role="note">${sentence}</div>`)}
    ${
      practice
        ? html`<div class="jp-Hitch-banner" role="note">
            ${trans.__('Practice: processes on this computer. Nobody is charged, and there is no CUDA.')}
          </div>`
        : nothing
    }
  `;
}
