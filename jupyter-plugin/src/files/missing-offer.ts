/** Offers to send what a cell on a cluster missed and this computer has, or to install it; once for each run of a cell. */
import type { Cell } from '@jupyterlab/cells';
import {
  type INotebookTracker,
  type Notebook,
  NotebookActions,
  type NotebookPanel,
} from '@jupyterlab/notebook';
import type { Contents, Kernel, ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { type CellError, format, missingModule, missingPath, modulePaths, shownName } from '@hitch/contract';
import { isOnThisComputer } from '../approval/window.ts';
import { notify } from '../ui/notify.ts';
import type { FileActions } from './actions.ts';
import type { ClusterDrive } from './drive.ts';
import type { ClusterDrives } from './drives.ts';
import { localEntry } from './local-files.ts';
import { type KernelPlace, parsePlace, PLACE_EXPRESSION, type Places, placesOf } from './missing-file.ts';
import { folderOf, nameOf } from './paths.ts';
import { clusterOfKernel } from '../run-on/targets.ts';

export interface MissingFilesOptions {
  readonly trans: TranslationBundle;
  readonly notebooks: INotebookTracker;
  readonly drives: ClusterDrives;
  /** Those of this JupyterLab. */
  readonly serverSettings: ServerConnection.ISettings;
  readonly actions: FileActions;
  /** Offers the package that brings a module; the cell runs again once it is there. */
  readonly offerPackage: (drive: ClusterDrive, module: string, again: () => Promise<void>) => void;
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
    const panel = this.#options.notebooks.find(({ content }) => content === notebook);
    if (success || error === null || error === undefined || panel === undefined) {
      return;
    }
    void this.#consider(panel, cell, { ename: error.errorName, evalue: error.errorValue }).catch(
      () => undefined,
    );
  }

  /** A module may be a file of the person's own: that comes before any stranger's package of the same name. */
  async #consider(panel: NotebookPanel, cell: Cell, error: CellError): Promise<void> {
    const path = missingPath(error);
    const module = missingModule(error);
    const drive = this.#driveOf(panel);
    if (drive === null || (path === null && module === null)) {
      return;
    }
    for (const missed of module === null ? [path ?? ''] : modulePaths(module)) {
      const found = await this.#look(panel, cell, drive, missed);
      if (found !== null) {
        this.#offer(found);
        return;
      }
    }
    if (module !== null) {
      this.#options.offerPackage(drive, module, () => runAgain(panel, cell));
    }
  }

  #driveOf({ sessionContext }: NotebookPanel): ClusterDrive | null {
    const drive = this.#options.drives.byName(clusterOfKernel(sessionContext.session?.kernel?.name) ?? '');
    return drive === undefined || drive.state === 'gone' ? null : drive;
  }

  async #look(panel: NotebookPanel, cell: Cell, drive: ClusterDrive, missed: string): Promise<Missed | null> {
    const kernel = panel.sessionContext.session?.kernel ?? null;
    const place = kernel === null ? null : await placeOf(kernel);
    const places = place === null ? null : placesOf(missed, folderOf(panel.context.localPath), place);
    const here = places === null ? null : await localEntry(this.#options.serverSettings, places.local);
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
    await this.#options.actions.sendAs(drive, places.local, places.remote, () => runAgain(panel, cell));
  }
}

async function runAgain(panel: NotebookPanel, cell: Cell): Promise<void> {
  if (!panel.isDisposed && !cell.isDisposed) {
    await NotebookActions.runCells(panel.content, [cell], panel.sessionContext);
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
