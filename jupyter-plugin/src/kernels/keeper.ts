/**
 * Keeps a notebook or a console with its cluster. JupyterLab starts whatever kernel speaks the notebook's language when
 * the one it names is not there, so a notebook of a stopped cluster would run on the laptop without a word. Until its
 * cluster is there, such a notebook starts nothing by itself; then it finds its session again, or starts a kernel there.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import { ServerConnection } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { isRemoteName } from './names.ts';
import { initialized } from './ready.ts';
import type { IKernelRouter } from './tokens.ts';

/** A cluster that was there and then did not answer is asked again after this. */
const AGAIN_MS = 5_000;

export class Keeper {
  readonly #context: ISessionContext;
  readonly #router: IKernelRouter;
  #connecting = false;
  /** It had a kernel; one that somebody shut down on purpose is not started again. */
  #ran = false;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(context: ISessionContext, router: IKernelRouter) {
    this.#context = context;
    this.#router = router;
    context.kernelPreferenceChanged.connect(this.#look, this);
    context.kernelChanged.connect(this.#look, this);
    context.sessionChanged.connect(this.#look, this);
    context.disposed.connect(() => {
      // The places outlive every notebook, and would keep it.
      Signal.clearData(this);
      clearTimeout(this.#again);
      this.#wait(null);
    });
    router.places.specsChanged.connect(this.#look, this);
    router.places.runningChanged.connect(this.#look, this);
    this.#look();
  }

  #look(): void {
    const { kernelPreference: preference, session } = this.#context;
    const running = session?.kernel?.name;
    if (running !== undefined) {
      this.#wait(null);
      this.#ran = true;
      // What it runs on now is what it shall not leave silently when that goes.
      if (preference.name !== running && (isRemoteName(running) || isRemoteName(preference.name))) {
        this.#context.kernelPreference = { ...preference, name: running, shouldStart: true };
      }
      return;
    }
    const { name } = preference;
    if (!isRemoteName(name)) {
      this.#wait(null);
      return;
    }
    const there = (this.#router.places.named(name)?.place ?? null) !== null;
    if (this.#ran && there) {
      this.#wait(null);
      return;
    }
    this.#ran = false;
    if (!there) {
      this.#router.places.addGhost(name, preference.language ?? 'python');
    }
    this.#wait(there ? null : name);
    if (preference.shouldStart !== false) {
      this.#context.kernelPreference = { ...preference, shouldStart: false };
    }
    void this.#connect(name);
  }

  #wait(kernelName: string | null): void {
    this.#router.waiting.note(this.#context, kernelName);
  }

  async #connect(name: string): Promise<void> {
    const place = this.#router.places.named(name)?.place;
    if (this.#connecting || place === undefined || place === null) {
      return;
    }
    this.#connecting = true;
    try {
      await initialized(this.#context);
      await place.sessions.list();
      if (!place.sessions.known || this.#context.session !== null || this.#context.isDisposed) {
        return;
      }
      const session = await this.#router.sessions.find(place, this.#context.path);
      await this.#context.changeKernel(session === null ? { name } : { id: session });
    } catch (error) {
      // JupyterLab has said why; the notebook keeps waiting, and its kernel can be chosen by hand.
      if (error instanceof ServerConnection.NetworkError && !this.#context.isDisposed) {
        clearTimeout(this.#again);
        this.#again = setTimeout(() => {
          this.#look();
        }, AGAIN_MS);
      }
    } finally {
      this.#connecting = false;
    }
  }
}
