/** A cluster as a draft of a template, in a new folder of the Jupyter server; its file is opened, with what is still missing. */
import type { Cluster } from '@hitch/contract';
import { askText } from '../ui/dialogs.ts';
import type { Deps } from './deps.ts';
import { attempt, said } from './report.ts';

export async function saveTemplate(deps: Deps, cluster: Cluster): Promise<void> {
  const { commands, hitch, trans } = deps;
  const typed = await askText(
    trans.__('Save %1 as a Template', cluster.name),
    trans.__('A new folder, below the one that JupyterLab was started in'),
  );
  const folder = (typed ?? '').trim().replace(/^\/+|\/+$/g, '');
  if (folder === '') {
    return;
  }
  const draft = await attempt(
    deps,
    () => hitch.client.api.templates.draft({ clusterId: cluster.id, folder }),
    () => void saveTemplate(deps, cluster),
  );
  if (draft !== null) {
    await commands.execute('docmanager:open', { path: `${folder}/hitch.yaml` });
    said(trans.__('A draft of a template was written into %1.', folder));
  }
}
