/** The kernels of a cluster; a notebook's name opens it. */
import type { Cluster, Kernel } from '@hitch/contract';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import type { Deps } from '../actions/deps.ts';

function stateWords({ state }: Kernel, trans: TranslationBundle): string {
  switch (state) {
    case 'starting':
      return trans.__('starting');
    case 'idle':
      return trans.__('idle');
    case 'busy':
      return trans.__('busy');
    case 'restarting':
      return trans.__('restarting');
    case 'dead':
      return trans.__('dead');
    case 'unknown':
      return trans.__('unknown');
  }
}

const OPEN = 'docmanager:open';

function kernelName({ commands, trans }: Deps, kernel: Kernel): TemplateResult {
  const { path, name } = kernel;
  if (path === null) {
    return html`<span>${trans.__('%1, no notebook', name)}</span>`;
  }
  const file = path.split('/').at(-1) ?? path;
  return commands.hasCommand(OPEN) && path.endsWith('.ipynb')
    ? html`<button
        type="button"
        class="jp-Hitch-link"
        title=${path}
        @click=${() => void commands.execute(OPEN, { path })}
      >
        ${file}
      </button>`
    : html`<span title=${path}>${file}</span>`;
}

const COMING: readonly Cluster['phase'][] = ['requested', 'purchasing', 'bootstrapping', 'starting'];
const isComing = ({ phase }: Cluster): boolean => COMING.includes(phase);

export function kernelList(deps: Deps, cluster: Cluster, kernels: readonly Kernel[] | null): TemplateResult {
  const { trans } = deps;
  if (cluster.conditions.kernel.status === 'no') {
    const words = isComing(cluster)
      ? trans.__('No kernels yet: the cluster is being set up.')
      : trans.__('No kernels: the cluster is not running.');
    return html`<p class="jp-Hitch-quiet">${words}</p>`;
  }
  if (kernels === null) {
    return html`<p class="jp-Hitch-quiet">${trans.__('Loading kernels…')}</p>`;
  }
  if (kernels.length === 0) {
    return html`<p class="jp-Hitch-quiet">${trans.__('No kernels yet. Use “Run on…” to start one.')}</p>`;
  }
  return html`<ul class="jp-Hitch-kernels" aria-label=${trans.__('Kernels of %1', cluster.name)}>
    ${kernels.map(
      kernel =>
        html`<li>
          ${kernelName(deps, kernel)}
          <span class="jp-Hitch-quiet">${stateWords(kernel, trans)}</span>
        </li>`,
    )}
  </ul>`;
}
