/** One notebook's cells, filled for each kernel on a cluster that it is connected to. */
import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { IKernelRouter } from '../kernels/tokens.ts';
import type { IHitch } from '../tokens.ts';
import { Filler } from './filler.ts';
import type { SavedPlaces } from './saved-places.ts';
import type { FillableCell } from './shown.ts';

const ASK_WITHIN_MS = 30_000;

const isCode = (cell: Cell): cell is CodeCell => cell.model.type === 'code';

const pause = (ms: number): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, ms);
  });

function fillable(cell: CodeCell): FillableCell {
  const { model, outputArea } = cell;
  return {
    id: model.id,
    executionCount: model.executionCount,
    follow: future => {
      outputArea.future = future;
    },
    mark: state => {
      if (cell.isDisposed) {
        return;
      }
      model.executionCount = state === 'running' ? null : state.count;
      model.executionState = state === 'running' ? 'running' : 'idle';
    },
  };
}

export interface NotebookFillerOptions {
  readonly panel: NotebookPanel;
  readonly hitch: IHitch;
  readonly router: IKernelRouter;
  readonly saved: SavedPlaces;
}

/** Lives as long as its notebook. */
export class NotebookFiller {
  readonly #options: NotebookFillerOptions;
  #kernelId = '';
  #filler: Filler | null = null;
  #beingSaved: ReturnType<NotebookFiller['seen']> = null;

  constructor(options: NotebookFillerOptions) {
    this.#options = options;
    const { context } = options.panel;
    context.sessionContext.kernelChanged.connect(this.#look, this);
    context.saveState.connect(this.#onSave, this);
    context.disposed.connect(this.#leave, this);
    this.#look();
  }

  /** The kernel and the place up to which the notebook shows it. */
  seen() {
    const at = this.#filler?.seen ?? null;
    return at === null ? null : { kernelId: this.#kernelId, at };
  }

  #look(): void {
    this.#leave();
    const kernel = this.#options.panel.sessionContext.session?.kernel ?? null;
    if (kernel !== null) {
      void this.#fill(kernel);
    }
  }

  async #fill(kernel: Kernel.IKernelConnection): Promise<void> {
    const { panel, hitch, router, saved } = this.#options;
    const clusterId = router.places.ownerOf(kernel.id)?.cluster.id;
    if (clusterId === undefined) {
      return;
    }
    const savedAt = await saved.get(kernel.id);
    await panel.context.ready;
    if (panel.isDisposed || panel.sessionContext.session?.kernel !== kernel) {
      return;
    }
    const call = () => ({ signal: AbortSignal.timeout(ASK_WITHIN_MS) });
    const asked = { clusterId, kernelId: kernel.id };
    const { kernels } = hitch.client.api;
    this.#kernelId = kernel.id;
    this.#filler = new Filler({
      kernel,
      journal: router.journal,
      ask: query => kernels.executions({ ...asked, ...query }, call()),
      askPlace: () => kernels.cursor(asked, call()),
      cells: () => panel.content.widgets.filter(isCode).map(fillable),
      savedAt,
      pause,
    });
    await this.#filler.fill();
  }

  #leave(): void {
    this.#filler?.stop();
    this.#filler = null;
  }

  #onSave(_: unknown, state: DocumentRegistry.SaveState): void {
    if (state === 'started') {
      this.#beingSaved = this.seen();
    } else if (state === 'completed' && this.#beingSaved !== null) {
      const { kernelId, at } = this.#beingSaved;
      void this.#options.saved.set(kernelId, at).catch(() => undefined);
    }
  }
}
