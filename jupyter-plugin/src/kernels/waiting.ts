/** Notebooks and consoles without a kernel because their cluster is away, and the kernel each waits for. */
import type { ISessionContext } from '@jupyterlab/apputils';
import { type ISignal, Signal } from '@lumino/signaling';

export class Waiting {
  readonly #kernels = new Map<ISessionContext, string>();
  readonly #changed = new Signal<this, void>(this);

  get all(): ReadonlyMap<ISessionContext, string> {
    return this.#kernels;
  }

  get changed(): ISignal<this, void> {
    return this.#changed;
  }

  /** @param kernelName null: it waits no longer. */
  note(context: ISessionContext, kernelName: string | null): void {
    if ((this.#kernels.get(context) ?? null) === kernelName) {
      return;
    }
    if (kernelName === null) {
      this.#kernels.delete(context);
    } else {
      this.#kernels.set(context, kernelName);
    }
    this.#changed.emit();
  }
}
