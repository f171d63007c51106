/** Offers to send what a cell on a cluster missed and this computer has; once for each run of a cell. */
import type { Cell } from '@jupyterlab/cells';
import {
  type INotebookTracker,
  type Notebook,
  NotebookActions,
  type NotebookPanel,
} from '@jupyterlab/notebook';
import type { Contents, Kernel, ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { format, shownName } from '@hitch/contract';
import { isOnThisComputer } from '../approval/window.ts';
import { notify } from '../ui/notify.ts';
import type { FileActions } from './actions.ts';
import type { ClusterDrive } from './drive.ts';
import type { ClusterDrives } from './drives.ts';
import { localEntry } from './local-files.ts';
import {
  type KernelPlace,
  missingPath,
  parsePlace,
  PLACE_EXPRESSION,
  type Places,
  placesOf,
} from './missing-file.ts';
import { folderOf, nameOf } from './paths.ts';
import { clusterOfKernel } from '../run-on/targets.ts';

export interface MissingFilesOptions {
  readonly trans: TranslationBundle;
  readonly notebooks: INotebookTracker;
  readonly drives: ClusterDrives;
  /** Those of this JupyterLab. */
  readonly serverSettings: ServerConnection.ISettings;
  readonly actions: FileActions;
}

/** What `NotebookActions.executed` says. */
interface Executed {
  readonly notebook: Notebook;
  readonly cell: Cell;
  readonly success: boolean;
  readonly error?: { readonly errorName: string; readonly errorValue: string } | null;
}

interface Missed {
  readonly panel: NotebookPanel;
  readonly cell: Cell;
  readonly drive: ClusterDrive;
  readonly places: Places;
  /** What lies here. */
  readonly here: Contents.IModel;
}

export class MissingFiles {
  readonly #options: MissingFilesOptions;

  constructor(options: MissingFilesOptions) {
    this.#options = options;
    NotebookActions.executed.connect(this.#onExecuted, this);
  }

  #onExecuted(_: unknown, { notebook, cell, success, error }: Executed): void {
    const missed =
      error === null || error === undefined
        ? null
        : missingPath({
            ename: error.errorName,
            evalue: error.errorValue,
          });
    const panel = this.#options.notebooks.find(({ content }) => content === notebook);
    if (success || missed === null || panel === undefined) {
      return;
    }
    void this.#look(panel, cell, missed)
      .then(found => {
        if (found !== null) {
          this.#offer(found);
        }
      })
      .catch(() => undefined);
  }

  async #look(panel: NotebookPanel, cell: Cell, missed: string): Promise<Missed | null> {
    const { drives, serverSettings } = this.#options;
    const kernel = panel.sessionContext.session?.kernel;
    const drive = drives.byName(clusterOfKernel(kernel?.name) ?? '');
    if (kernel === null || kernel === undefined || drive === undefined || drive.state === 'gone') {
      return null;
    }
    const place = await placeOf(kernel);
    const places = place === null ? null : placesOf(missed, folderOf(panel.context.localPath), place);
    const here = places === null ? null : await localEntry(serverSettings, places.local);
    return places === null || here === null ? null : { panel, cell, drive, places, here };
  }

  #offer(missed: Missed): void {
    const { trans } = this.#options;
    const { here, places, drive } = missed;
    const isHere = isOnThisComputer(window.location);
    const names = [shownName(nameOf(places.remote)), drive.name] as const;
    notify(
      'warning',
      isHere
        ? trans.__('%1 is on your computer but not on %2.', ...names)
        : trans.__('%1 is on the Jupyter server but not on %2.', ...names),
      {
        autoClose: false,
        actions: [
          {
            label:
              here.type === 'directory'
                ? trans.__('Copy it and re-run the cell')
                : trans.__('Copy it (%1) and re-run the cell', format.bytes(here.size ?? 0)),
            displayType: 'accent',
            callback: () => void this.#sendAndRun(missed),
          },
        ],
      },
    );
  }

  async #sendAndRun({ panel, cell, drive, places }: Missed): Promise<void> {
    await this.#options.actions.sendAs(drive, places.local, places.remote, async () => {
      if (!panel.isDisposed && !cell.isDisposed) {
        await NotebookActions.runCells(panel.content, [cell], panel.sessionContext);
      }
    });
  }
}

/** Asked of the kernel itself: a cell may have changed its folder. */
async function placeOf(kernel: Kernel.IKernelConnection): Promise<KernelPlace | null> {
  const asked = kernel.requestExecute({
    code: '',
    silent: true,
    store_history: false,
    user_expressions: { place: PLACE_EXPRESSION },
  });
  const { content } = await asked.done;
  const answers = content.status === 'ok' ? content.user_expressions : undefined;
  const data = (answers?.['place'] as { data?: Record<string, unknown> } | undefined)?.data;
  const text = data?.['text/plain'];
  return typeof text === 'string' ? parsePlace(text) : null;
}
