/** How kernels of clusters are called: in notebooks and git for people, so by the cluster's name and not by an id. */
import { shownLine, type Cluster } from '@hitch/contract';
import type { KernelSpec } from '@jupyterlab/services';

const PREFIX = 'hitch-';
const BETWEEN = '--';

export const kernelName = (cluster: string, spec: string): string => `${PREFIX}${cluster}${BETWEEN}${spec}`;

/** Whether a kernel's name is one of ours, whatever has become of its cluster. */
export const isRemoteName = (name: string | undefined): name is string => name?.startsWith(PREFIX) === true;

/** The cluster's name and the kernel's name there; null for a name that is not ours. */
export function readKernelName(name: string): { cluster: string; spec: string } | null {
  const at = name.indexOf(BETWEEN, PREFIX.length);
  return isRemoteName(name) && at > PREFIX.length
    ? { cluster: name.slice(PREFIX.length, at), spec: name.slice(at + BETWEEN.length) }
    : null;
}

/** `1× RTX 4090`: what the cluster's machines are, without their memory. */
function machines({ nodes }: Cluster): string {
  const title = nodes.find(({ title }) => title !== '')?.title.split(',')[0] ?? '';
  return nodes.length > 1 && title !== '' ? `${nodes.length} nodes, ${title}` : title;
}

/** `Python 3 · llm-dev (1× RTX 4090)`: it stands in the launcher, the toolbar and the status bar. */
export function displayName(spec: string, cluster: Cluster): string {
  const what = machines(cluster);
  const title = spec.replace(/ \(ipykernel\)$/, '');
  return shownLine(`${title} · ${cluster.name}${what === '' ? '' : ` (${what})`}`);
}

/** A chip with the language's first letters. Pictures of a cluster would have to come from a stranger's machine. */
export function icon(language: string): string {
  const letters = language.replace(/[^A-Za-z]/g, '').slice(0, 2) || 'K';
  const legs = [20, 32, 44].map(at => `M${at} 4v8M${at} 52v8M4 ${at}h8M52 ${at}h8`).join('');
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">' +
    `<path d="${legs}" stroke="#5c6bc0" stroke-width="4" stroke-linecap="round"/>` +
    '<rect x="12" y="12" width="40" height="40" rx="6" fill="#5c6bc0"/>' +
    '<text x="32" y="39" font-family="sans-serif" font-size="20" font-weight="bold" fill="#fff" text-anchor="middle">' +
    `${letters}</text></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** A cluster's kernelspec as it stands in this JupyterLab. */
export function publicSpec(spec: KernelSpec.ISpecModel, cluster: Cluster): KernelSpec.ISpecModel {
  const picture = icon(spec.language);
  return {
    ...spec,
    name: kernelName(cluster.name, spec.name),
    display_name: displayName(spec.display_name, cluster),
    resources: { 'logo-svg': picture, 'logo-64x64': picture },
    metadata: { ...spec.metadata, hitch: { clusterId: cluster.id, cluster: cluster.name, spec: spec.name } },
  };
}

/** Stands in for a kernel whose cluster is gone, so that its notebook does not silently run somewhere else. */
export function ghostSpec(name: string, language: string): KernelSpec.ISpecModel {
  const read = readKernelName(name);
  const picture = icon(language);
  return {
    name,
    display_name: `${read?.cluster ?? name} (not running)`,
    language,
    argv: [],
    resources: { 'logo-svg': picture, 'logo-64x64': picture },
    metadata: { hitch: { ghost: true, cluster: read?.cluster ?? '', spec: read?.spec ?? '' } },
  };
}

/** Whether a spec only stands in for one that cannot be started. */
export function isGhost(spec: KernelSpec.ISpecModel | undefined): boolean {
  const hitch: unknown = spec?.metadata?.['hitch'];
  return typeof hitch === 'object' && hitch !== null && Reflect.get(hitch, 'ghost') === true;
}
