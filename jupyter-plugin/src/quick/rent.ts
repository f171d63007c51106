/** From one line of the list to a notebook that runs there: one approval, and the rest follows. */
import { presetRequest, quoteRequestSchema, type ClusterId, type Preset } from '@hitch/contract';
import { PageConfig } from '@jupyterlab/coreutils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { rentAgain } from '../actions/again.ts';
import type { Deps } from '../actions/deps.ts';
import { COMMANDS } from '../actions/ids.ts';
import { failed, said, sentenceOf, showPanelStep } from '../actions/report.ts';
import { firstLimits } from '../settings/preferences.ts';
import type { AttachLater } from './attach-later.ts';
import type { QuickPresets } from './presets.ts';

export interface Quick {
  readonly presets: QuickPresets;
  readonly later: AttachLater;
}

/** What stands for the cluster that was rented last. */
export const LAST = 'last';

/** Null: nobody said yes, or it could not be done, which is told. */
async function order(deps: Deps, preset: Preset): Promise<ClusterId | null> {
  const { hitch, preferences, now, trans, commands } = deps;
  const { approve } = await import('../approval/approve.ts');
  const request = () =>
    quoteRequestSchema.parse({
      ...presetRequest(preset),
      ...firstLimits(preferences.present, now()),
      sendFrom: PageConfig.getOption('serverRoot'),
    });
  try {
    const clusterId = await approve(deps, async () => ({
      kind: 'rent',
      quoteId: (await hitch.client.api.quotes.create(request())).id,
    }));
    await hitch.refresh();
    return clusterId;
  } catch (error) {
    failed(sentenceOf(error), {
      label: trans.__('New cluster…'),
      run: () => void commands.execute(COMMANDS.newCluster),
    });
    return null;
  }
}

async function orderAgain(deps: Deps, { last }: QuickPresets): Promise<ClusterId | null> {
  return last !== null && (await rentAgain(deps, last, 'start-again')) ? last.id : null;
}

/**
 * @param what a preset's id, or {@link LAST}
 * @param panel the notebook that gets its kernel there; null: none
 */
export async function rentQuickly(
  deps: Deps,
  { presets, later }: Quick,
  what: string,
  panel: NotebookPanel | null,
): Promise<void> {
  const { trans, hitch, preferences } = deps;
  const preset = presets.find(what);
  if (what !== LAST && preset === undefined) {
    failed(presets.problem ?? trans.__('There is no preset “%1” any more.', what));
    return;
  }
  // As it is when it is asked for: while somebody says yes the selection may move.
  const cell = panel?.content.activeCell?.model;
  const runs =
    preferences.present.runAfterRent && cell?.type === 'code' && cell.sharedModel.getSource().trim() !== '';
  // Before it is asked for: lists that still say so then are old.
  const endedBeforeMs = preset === undefined ? (presets.last?.endedAtMs ?? null) : null;
  const clusterId = await (preset === undefined ? orderAgain(deps, presets) : order(deps, preset));
  if (clusterId === null) {
    return;
  }
  if (panel !== null && !panel.isDisposed) {
    later.add(clusterId, panel.context.path, runs ? cell.id : null, endedBeforeMs);
  }
  const name = hitch.clusters.find(({ id }) => id === clusterId)?.name ?? trans.__('The cluster');
  const file = panel?.title.label ?? '';
  said(
    panel === null
      ? trans.__('%1 is being rented.', name)
      : runs
        ? trans.__('%1 is being rented. %2 moves there when it is ready, and the cell runs.', name, file)
        : trans.__('%1 is being rented. %2 moves there when it is ready.', name, file),
    showPanelStep(deps),
  );
}
