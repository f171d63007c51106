/** The widgets of one frame: it gets the models that it shows and what becomes of them, and no others. */
import type { Kernel } from '@jupyterlab/services';
import type { ToFrame } from '../frame/words.ts';
import type { CommEvent, KernelComms } from './comms.ts';
import type { FromFrame } from './frame-messages.ts';
import { pause } from '../ui/pause.ts';
import { isBundle } from './framed.ts';
import { namesModels } from './widget-state.ts';

/** A page that was loaded anew knows its kernels after a while; for as long, nothing is said to be gone. */
const KNOWN_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 200;

export interface FrameWidgetsDeps {
  readonly comms: KernelComms;
  /** Whether the kernel counts, as far as is known by now. */
  readonly isOn: () => boolean;
  /** Null also while the page does not know its kernels yet. */
  readonly kernel: () => Kernel.IKernelConnection | null;
  readonly post: (message: ToFrame) => void;
  /** A widget that the frame shows was left out: the kernel has more than is kept; so many were, in all. */
  readonly onLeft: (count: number) => void;
}

type Asked = Extract<FromFrame, { type: 'models' }>;
type Sent = Extract<FromFrame, { type: 'comm' }>;

export class FrameWidgets {
  readonly #deps: FrameWidgetsDeps;
  readonly #followed = new Set<string>();
  readonly #roots = new Set<string>();
  readonly #end = new AbortController();

  constructor(deps: FrameWidgetsDeps) {
    this.#deps = deps;
    deps.comms.heard.connect(this.#heard, this);
    deps.comms.changedBy.connect(this.#changed, this);
  }

  dispose(): void {
    this.#end.abort();
    this.#deps.comms.heard.disconnect(this.#heard, this);
    this.#deps.comms.changedBy.disconnect(this.#changed, this);
  }

  async hear(message: Asked | Sent): Promise<void> {
    await (message.type === 'models' ? this.#give(message.root) : this.#send(message));
  }

  /** Null where none has come in time. */
  async #connection(): Promise<Kernel.IKernelConnection | null> {
    const { kernel, isOn } = this.#deps;
    for (
      let waitedMs = 0;
      waitedMs < KNOWN_WITHIN_MS && !this.#end.signal.aborted;
      waitedMs += LOOK_EVERY_MS
    ) {
      const connection = isOn() ? kernel() : null;
      if (connection !== null) {
        return connection;
      }
      await pause(LOOK_EVERY_MS, this.#end.signal);
    }
    return null;
  }

  async #give(root: string): Promise<void> {
    const { comms, isOn, post } = this.#deps;
    if (comms.states.get(root) === undefined || !isOn()) {
      const connection = await this.#connection();
      if (connection === null) {
        post({ type: 'models', root, models: [] });
        return;
      }
      if (comms.states.get(root) === undefined) {
        await comms.askForStates(connection);
      }
    }
    this.#roots.add(root);
    if (comms.states.get(root) === undefined && comms.states.left > 0) {
      this.#deps.onLeft(comms.states.left);
    }
    const ids = [...comms.states.closure(root)];
    ids.forEach(id => this.#followed.add(id));
    this.#postModels(root, ids);
  }

  #postModels(root: string, ids: readonly string[]): void {
    const { comms, post } = this.#deps;
    const models = ids.map(id => ({ id, state: comms.states.get(id)?.state ?? {}, known: comms.give(id) }));
    post({ type: 'models', root, models });
  }

  /** A frame speaks for the widgets that it shows. */
  async #send({ id, number, data, buffers }: Sent): Promise<void> {
    const { comms, post } = this.#deps;
    const connection = this.#followed.has(id) ? await this.#connection() : null;
    if (connection !== null) {
      await comms.send(connection, { kind: 'comm_msg', id, data, buffers }, this).done.catch(() => undefined);
    }
    post({ type: 'idle', number });
  }

  #heard(_: unknown, event: CommEvent): void {
    const { kind, id, data, buffers } = event;
    if (kind === 'comm_open') {
      // A link between widgets that are shown here is shown by nobody.
      if (
        this.#followed.size > 0 &&
        isBundle(data['state']) &&
        /Link/.test(String(data['state']['_model_name']))
      ) {
        this.#giveLacking([...this.#roots]);
      }
      return;
    }
    if (this.#followed.has(id)) {
      if (namesModels(data)) {
        this.#giveLacking([id]);
      }
      this.#deps.post({ type: 'comm', from: 'kernel', kind, id, data, buffers });
    }
  }

  /** What a change has brought in, before the change itself. */
  #giveLacking(from: readonly string[]): void {
    const reached = from.flatMap(id => [...this.#deps.comms.states.closure(id)]);
    const lacking = reached.filter(id => !this.#followed.has(id));
    if (lacking.length > 0) {
      lacking.forEach(id => this.#followed.add(id));
      this.#postModels('', [...new Set(lacking)]);
    }
  }

  #changed(_: unknown, { event, from }: { readonly event: CommEvent; readonly from: object }): void {
    if (from !== this && this.#followed.has(event.id) && event.data['method'] === 'update') {
      const { id, data, buffers } = event;
      this.#deps.post({ type: 'comm', from: 'frame', kind: 'comm_msg', id, data, buffers });
    }
  }
}
