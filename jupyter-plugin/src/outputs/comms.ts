/**
 * The comms of clusters' kernels. A comm that a kernel opens would reach whatever JupyterLab's page has registered for its
 * target, the widgets' manager first of all, which runs a widget's own program in the page. So they end here, and go on
 * to the frames. Comms that the page itself opens stay the page's.
 */
import { type Kernel, KernelMessage } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { CapturedOutputs, isOutput } from './captured.ts';
import { type Bundle, isBundle } from './framed.ts';
import { type Buffers, statesOf, WidgetStates } from './widget-state.ts';

const WIDGET = 'jupyter.widget';
const CONTROL = `${WIDGET}.control`;
/** One connection of the page may be that far behind another. */
const REMEMBERED = 20_000;

/** Nothing in JupyterLab listens to this type. */
const DIVERTED = 'hitch_diverted';

export interface CommEvent {
  readonly kind: 'comm_open' | 'comm_msg' | 'comm_close';
  readonly id: string;
  readonly data: Bundle;
  readonly buffers: Buffers;
}

type Message = KernelMessage.IMessage;

const isComm = (type: string): type is CommEvent['kind'] =>
  type === 'comm_open' || type === 'comm_msg' || type === 'comm_close';

export class KernelComms {
  readonly states = new WidgetStates();
  readonly heard = new Signal<this, CommEvent>(this);
  readonly #controls = new Set<string>();
  readonly #ofPage: ReadonlySet<string>;
  /** Messages that came already, by their ids, and whether they were the frames'. */
  readonly #seen = new Map<string, boolean>();
  readonly #captured = new CapturedOutputs();
  /** Changes that frames have made, by the ids of their messages, until the kernel has repeated them. */
  readonly #told = new Set<string>();
  /** Models that a frame has been given. */
  readonly #given = new Set<string>();

  #asking: Promise<void> | null = null;

  constructor(ofPage: ReadonlySet<string>) {
    this.#ofPage = ofPage;
  }

  /** @returns whether the message was the frames' and must not reach the page. */
  take(message: Message): boolean {
    const type: string = message.header.msg_type;
    if (isComm(type)) {
      return this.#takeComm(type, message);
    }
    return this.#takeOutput(type, message);
  }

  #takeComm(kind: CommEvent['kind'], message: Message): boolean {
    const { comm_id: id, data: given, target_name: target } = message.content as Record<string, unknown>;
    if (typeof id !== 'string') {
      return true;
    }
    if (kind !== 'comm_open' && this.#ofPage.has(id)) {
      return false;
    }
    // Each connection of the page to this kernel brings it.
    if (this.#seen.has(message.header.msg_id)) {
      return true;
    }
    this.#remember(message.header.msg_id, true);
    const data = isBundle(given) ? given : {};
    // What a frame has changed is known here and in the other frames, and may be another value again by now.
    if (data['method'] === 'echo_update' && this.#told.delete(parentOf(message))) {
      return true;
    }
    const event = { kind, id, data, buffers: message.buffers ?? [] };
    if (this.#controls.has(id)) {
      this.#restore(event);
    } else if (kind !== 'comm_open' || target === WIDGET) {
      this.#note(event);
      this.heard.emit(event);
    }
    return true;
  }

  #remember(id: string, isTaken: boolean): void {
    this.#seen.set(id, isTaken);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > REMEMBERED && oldest !== undefined) {
      this.#seen.delete(oldest);
    }
  }

  #note({ kind, id, data, buffers }: CommEvent): void {
    if (kind === 'comm_close') {
      this.states.drop(id);
      this.#captured.drop(id);
      return;
    }
    const { state, method, buffer_paths: paths } = data;
    const isState = kind === 'comm_open' || method === 'update' || method === 'echo_update';
    // Of a model that is not known here, a change alone would hide all the rest, for which the kernel can be asked.
    const isKnown = kind === 'comm_open' || this.states.get(id) !== undefined;
    if (isState && isKnown && isBundle(state)) {
      this.states.update(id, state, paths, buffers);
      this.#captured.look(id, this.states.get(id)?.state ?? {});
    }
  }

  #restore({ data, buffers }: CommEvent): void {
    for (const { id, state, paths, buffers: own } of statesOf(data, buffers)) {
      if (this.states.get(id) === undefined) {
        this.states.update(id, state, paths, own);
        this.#captured.look(id, state);
      }
    }
  }

  /** An `Output` widget takes what is printed for one message, whatever it does when the next connection brings it. */
  #takeOutput(type: string, message: Message): boolean {
    if (!isOutput(type, message)) {
      return false;
    }
    const known = this.#seen.get(message.header.msg_id);
    if (known !== undefined) {
      return known;
    }
    const captured = this.#captured.take(type, message);
    this.#remember(message.header.msg_id, captured !== null);
    if (captured !== null) {
      const { id, outputs } = captured;
      if (this.states.get(id) !== undefined) {
        this.states.update(id, { outputs }, [], []);
      }
      this.heard.emit({ kind: 'comm_msg', id, data: { method: 'update', state: { outputs } }, buffers: [] });
    }
    return captured !== null;
  }

  /** A frame is given this model. @returns whether one has been given it before. */
  give(id: string): boolean {
    const known = this.#given.has(id);
    this.#given.add(id);
    return known;
  }

  /** A frame has changed a widget: the kernel is told, and the other frames by {@link heard}. */
  send(kernel: Kernel.IKernelConnection, event: CommEvent, from: object): Kernel.IShellFuture {
    this.#note(event);
    this.changedBy.emit({ event, from });
    const sent = sendComm(kernel, 'comm_msg', { comm_id: event.id, data: event.data }, event.buffers);
    this.#tell(sent.msg.header.msg_id);
    return sent;
  }

  /** A kernel that repeats nothing, as widgets before version 8 do, is not remembered for ever. */
  #tell(id: string): void {
    this.#told.add(id);
    const [oldest] = this.#told;
    if (this.#told.size > REMEMBERED && oldest !== undefined) {
      this.#told.delete(oldest);
    }
  }

  /** What one frame has changed, for the others. */
  readonly changedBy = new Signal<this, { readonly event: CommEvent; readonly from: object }>(this);

  /**
   * Asks the kernel for the widgets that a page before this one has heard of. Resolves once the kernel has answered: of
   * many frames that ask at once, with all of its widgets each time, one asks.
   */
  async askForStates(kernel: Kernel.IKernelConnection): Promise<void> {
    this.#asking ??= this.#ask(kernel).finally(() => (this.#asking = null));
    await this.#asking;
  }

  async #ask(kernel: Kernel.IKernelConnection): Promise<void> {
    const id = KernelMessage.createMessage({
      msgType: 'comm_close',
      channel: 'shell',
      session: kernel.clientId,
      content: { comm_id: '', data: {} },
    }).header.msg_id;
    this.#controls.add(id);
    const about = { version: '1.0.0' };
    sendComm(kernel, 'comm_open', { comm_id: id, target_name: CONTROL, data: {} }, [], about);
    const asked = sendComm(kernel, 'comm_msg', { comm_id: id, data: { method: 'request_states' } }, []);
    await asked.done.catch(() => undefined);
    this.#controls.delete(id);
  }

  /** A kernel says that it starts, and each connection of the page brings that. @returns whether it is news. */
  started(message: Message): boolean {
    const id = message.header.msg_id;
    if (this.#seen.has(id)) {
      return false;
    }
    this.#remember(id, false);
    this.states.clear();
    this.#captured.clear();
    this.#given.clear();
    return true;
  }
}

const parentOf = ({ parent_header: parent }: Message): string => ('msg_id' in parent ? parent.msg_id : '');

function sendComm(
  kernel: Kernel.IKernelConnection,
  msgType: 'comm_open' | 'comm_msg',
  content: Record<string, unknown>,
  buffers: Buffers,
  metadata: Record<string, string> = {},
): Kernel.IShellFuture {
  const message = KernelMessage.createMessage({
    msgType,
    channel: 'shell',
    session: kernel.clientId,
    metadata,
    content: content as KernelMessage.ICommMsgMsg<'shell'>['content'],
    buffers: [...buffers],
  } as KernelMessage.IOptions<KernelMessage.ICommMsgMsg<'shell'>>);
  return kernel.sendShellMessage(message, false, true);
}

/** Of all kernels of clusters in this page. */
export class ClusterComms {
  /** The kernel's id. */
  readonly restarted = new Signal<this, string>(this);
  readonly #kernels = new Map<string, KernelComms>();
  /** Comms that the page has opened, by their ids, which are new with each. */
  readonly #ofPage = new Set<string>();

  of(kernelId: string): KernelComms {
    const known = this.#kernels.get(kernelId) ?? new KernelComms(this.#ofPage);
    this.#kernels.set(kernelId, known);
    return known;
  }

  /** A kernel says that its process is another one: what the one before has shown is no longer there. */
  started(kernelId: string, message: Message): void {
    if (this.of(kernelId).started(message)) {
      this.restarted.emit(kernelId);
    }
  }

  /** A message that this page sends: which comms are the page's own. */
  sent(message: Message): void {
    const { comm_id: id, target_name: target } = message.content as Record<string, unknown>;
    if (typeof id === 'string' && typeof target === 'string' && !target.startsWith(WIDGET)) {
      this.#ofPage.add(id);
    }
  }
}

/** The same message under a type that nothing in JupyterLab listens to. */
export const diverted = (message: Message): Message =>
  ({
    ...message,
    header: { ...message.header, msg_type: DIVERTED },
    content: {},
    buffers: [],
  }) as unknown as Message;
