/** One notebook's cells, filled for each kernel on a cluster that it is connected to. */
import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IKernelRouter } from '../kernels/tokens.ts';
import type { IHitch } from '../tokens.ts';
import { notify } from '../ui/notify.ts';
import type { CellOrder } from './cell-orders.ts';
import { Filler } from './filler.ts';
import type { Memory } from './memory.ts';
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
    source: model.sharedModel.getSource(),
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

export interface NotebookFillerOptions extends Memory {
  readonly panel: NotebookPanel;
  readonly hitch: IHitch;
  readonly router: IKernelRouter;
  readonly trans: TranslationBundle;
}

/** From here on a notebook's file keeps the ids of its cells. */
const IDS_SINCE_MINOR = 5;

/** Lives as long as its notebook. */
export class NotebookFiller {
  readonly #options: NotebookFillerOptions;
  #kernelId = '';
  #filler: Filler | null = null;
  /** Ids that cells of this page had in pages before, by those that they have now. */
  readonly #aliases = new Map<string, readonly string[]>();
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
    const { panel, hitch, router, trans, saved, orders } = this.#options;
    const clusterId = router.places.ownerOf(kernel.id)?.cluster.id;
    if (clusterId === undefined) {
      return;
    }
    const [savedAt, before] = await Promise.all([saved.get(kernel.id), orders.get(kernel.id)]);
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
      before: before ?? (this.#keepsIds() ? null : []),
      ran: () => this.#noteOrder(),
      placed: (cell, cellId) => {
        this.#aliases.set(cell.id, [...(this.#aliases.get(cell.id) ?? []), cellId]);
        this.#noteOrder();
      },
      unknown: forgotten =>
        void notify(
          'warning',
          trans.__(
            'The cluster has forgotten %1 old executions. Cells that they ran last are shown as saved.',
            forgotten,
          ),
        ),
      pause,
    });
    await this.#filler.fill();
  }

  #keepsIds(): boolean {
    return (this.#options.panel.content.model?.sharedModel.nbformat_minor ?? 0) >= IDS_SINCE_MINOR;
  }

  /** For the page after this one. */
  #noteOrder(): void {
    const { panel, orders } = this.#options;
    const order: CellOrder = panel.content.widgets
      .filter(isCode)
      .map(({ model: { id } }) => [id, ...(this.#aliases.get(id) ?? [])]);
    void orders.set(this.#kernelId, order).catch(() => undefined);
  }

  #leave(): void {
    this.#filler?.stop();
    this.#filler = null;
  }

  #onSave(_: unknown, state: DocumentRegistry.SaveState): void {
    if (state === 'started') {
      this.#beingSaved = this.seen();
      if (this.#filler !== null) {
        this.#noteOrder();
      }
    } else if (state === 'completed' && this.#beingSaved !== null) {
      const { kernelId, at } = this.#beingSaved;
      void this.#options.saved.set(kernelId, at).catch(() => undefined);
    }
  }
}
