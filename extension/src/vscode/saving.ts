/** *Save Now*: what is asked, then what is done. Loaded when somebody saves for the first time. */
import type { Cluster } from '@hitch/contract';
import { shownName } from '@hitch/contract/src/shown/text.ts';
import { type CopyDeps, followCopy } from './copies.ts';
import { askLine } from './screen.ts';

export async function saveNow(deps: CopyDeps, cluster: Cluster): Promise<void> {
  const { id: clusterId, name, save } = cluster;
  const paths = save.paths.length > 0 ? save.paths : await askPaths(name);
  if (paths.length > 0) {
    await followCopy(deps, {
      question: `Save from ${name}?`,
      doing: `Saving ${paths.map(shownName).join(', ')} of ${name}`,
      done: `Saved from ${name}`,
      start: () => deps.model.client.api.clusters.save({ clusterId, paths: [...paths] }),
    });
  }
}

/** Where nothing was named when it was rented. */
async function askPaths(name: string): Promise<readonly string[]> {
  const text = await askLine({
    title: `Save from ${name}`,
    prompt: 'Files and folders in ~/work to copy to this computer now, separated by commas',
    placeholder: 'results, model.pt',
  });
  return (text ?? '')
    .split(',')
    .map(path => path.trim())
    .filter(path => path !== '');
}
