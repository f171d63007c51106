/**
 * A notebook on a cluster names that cluster's own kernels, such as `python3`; JupyterLab knows the same kernel as
 * `hitch-<cluster>--python3`. Without the translation a notebook opened from a cluster would run on this computer.
 */
import { isRemoteName, kernelName } from '../kernels/names.ts';

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function withSpec(content: unknown, change: (spec: Fields | null) => Fields | null): unknown {
  if (!isFields(content) || !isFields(content['metadata'])) {
    return content;
  }
  const { metadata } = content;
  const spec = isFields(metadata['kernelspec']) ? metadata['kernelspec'] : null;
  const kernelspec = change(spec);
  return kernelspec === null ? content : { ...content, metadata: { ...metadata, kernelspec } };
}

/** As JupyterLab is to see a notebook that lies on the cluster. */
export function asSeenHere(content: unknown, cluster: string): unknown {
  return withSpec(content, spec => {
    const name = typeof spec?.['name'] === 'string' && spec['name'] !== '' ? spec['name'] : 'python3';
    if (isRemoteName(name)) {
      return null;
    }
    return { display_name: 'Python 3', language: 'python', ...spec, name: kernelName(cluster, name) };
  });
}

/** As the cluster is to keep it. */
export function asKeptThere(content: unknown, cluster: string): unknown {
  return withSpec(content, spec => {
    const name = spec?.['name'];
    const prefix = kernelName(cluster, '');
    if (typeof name !== 'string' || !name.startsWith(prefix)) {
      return null;
    }
    const shown = spec?.['display_name'];
    const display = typeof shown === 'string' ? shown.split(' · ')[0] : name;
    return { ...spec, name: name.slice(prefix.length), display_name: display };
  });
}
