/** On which cluster an open notebook runs: Jupyter does not say, but the clusters know whose their kernels are. */
import type * as vscode from 'vscode';
import type { Cluster } from '@hitch/contract';
import type { HitchModel } from '../daemon/model.ts';
import { canRun } from '../daemon/state.ts';
import { isKernelOf } from '../kernel/missed.ts';

/** Null: on none, or nobody can tell on which. @throws HitchError where one that runs does not answer. */
export async function clusterOfNotebook(
  model: HitchModel,
  { uri }: vscode.NotebookDocument,
): Promise<Cluster | null> {
  const running = (model.state.clusters ?? []).filter(canRun);
  const found = await Promise.all(
    running.map(async cluster => {
      const kernels = await model.client.api.kernels.list(
        { clusterId: cluster.id },
        { signal: model.signal },
      );
      return isKernelOf(uri.path, kernels) ? [cluster] : [];
    }),
  );
  const [only = null, ...others] = found.flat();
  return others.length === 0 ? only : null;
}
