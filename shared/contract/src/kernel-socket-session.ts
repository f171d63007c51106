/** What a client of the cursor protocol remembers between connections. Pure: it says what to send and to deliver. */
import { busyFrame, gapSentence, noticeFrame, refusalFrames } from './kernel-notices.ts';
import { decodeHitchFrame, formatCursor, KernelFrameError, peekFrame } from './kernel-protocol.ts';
import type { GapControl, KernelCursor, ServerControl } from './kernel-protocol.ts';

export interface SessionDeps {
  readonly newId: () => string;
  readonly now: () => number;
  readonly from?: KernelCursor;
  /** Deliver a status message first when the kernel is busy as this socket opens. */
  readonly tellBusy?: boolean;
}

export interface Delivery {
  /** A v1 frame. */
  readonly frame: Uint8Array;
  /** Its place in the kernel's journal; null for what was said here and not by the kernel. */
  readonly at: KernelCursor | null;
}

export interface Received {
  /** For the user, in order. */
  readonly deliver: readonly Delivery[];
  /** The connection is complete: send what {@link KernelSession.unacknowledged} holds, then what comes. */
  readonly greeted: boolean;
}

const NOTHING: Received = { deliver: [], greeted: false };

/** Where each session of each kernel stopped, so that another socket of the same session goes on from there. */
export class CursorMemory {
  readonly #cursors = new Map<string, KernelCursor>();
  static readonly #max = 500;

  get(key: string): KernelCursor | null {
    return this.#cursors.get(key) ?? null;
  }

  set(key: string, cursor: KernelCursor): void {
    this.#cursors.delete(key);
    this.#cursors.set(key, cursor);
    const oldest = this.#cursors.keys().next();
    if (this.#cursors.size > CursorMemory.#max && oldest.done !== true) {
      this.#cursors.delete(oldest.value);
    }
  }
}

/** The request whose reply this is; null: it is none. What is no message at all is for its reader to refuse. */
function answeredBy(frame: Uint8Array): string | null {
  try {
    const { type, parentId } = peekFrame(frame);
    return type === 'execute_reply' ? parentId : null;
  } catch {
    return null;
  }
}

export class KernelSession {
  readonly #deps: SessionDeps;
  readonly #memory: CursorMemory;
  readonly #key: string;
  #cursor: KernelCursor | null;
  readonly #unacknowledged = new Map<string, Uint8Array>();
  /** Executions asked for here and not answered yet: id and session of the request. */
  readonly #running = new Map<string, string>();
  #wasGreeted = false;

  constructor(key: string, memory: CursorMemory, deps: SessionDeps) {
    this.#key = key;
    this.#memory = memory;
    this.#deps = deps;
    this.#cursor = memory.get(key) ?? deps.from ?? null;
  }

  /** For the URL: where to go on from; null when this session has seen nothing. */
  get cursor(): string | null {
    return this.#cursor === null ? null : formatCursor(this.#cursor);
  }

  /** Messages of the user that may not have arrived, oldest first. The other side knows those that have. */
  get unacknowledged(): Uint8Array[] {
    return [...this.#unacknowledged.values()];
  }

  get unacknowledgedBytes(): number {
    return this.unacknowledged.reduce((sum, frame) => sum + frame.byteLength, 0);
  }

  /** Takes note of a message of the user. @throws KernelFrameError when it is no v1 frame. */
  sent(frame: Uint8Array): void {
    const peek = peekFrame(frame);
    this.#unacknowledged.set(peek.messageId, frame);
    if (peek.type === 'execute_request') {
      this.#running.set(peek.messageId, peek.session);
    }
  }

  /** A message of the user that is too long to be sent: what the user gets instead. @throws KernelFrameError */
  refused(frame: Uint8Array): Delivery[] {
    const { messageId, session, type, channel } = peekFrame(frame);
    const answers = refusalFrames({
      bytes: frame.byteLength,
      request: { messageId, session, type, channel },
      newId: this.#deps.newId,
      date: this.#date(),
    });
    return answers.map(answer => ({ frame: answer, at: null }));
  }

  /** Takes a frame of the other side. @throws KernelFrameError */
  received(bytes: Uint8Array): Received {
    const frame = decodeHitchFrame(bytes);
    if ('control' in frame) {
      return frame.control === null ? NOTHING : this.#control(frame.control);
    }
    if (this.#cursor === null) {
      throw new KernelFrameError('A message came before the greeting.');
    }
    if (frame.seq <= this.#cursor.seq) {
      return NOTHING;
    }
    const at = { epoch: this.#cursor.epoch, seq: frame.seq };
    this.#moveTo(at);
    if (this.#running.size > 0) {
      const answered = answeredBy(frame.frame);
      if (answered !== null) {
        this.#running.delete(answered);
      }
    }
    return { deliver: [{ frame: frame.frame, at }], greeted: false };
  }

  #moveTo(cursor: KernelCursor): void {
    this.#cursor = cursor;
    this.#memory.set(this.#key, cursor);
  }

  #control(control: ServerControl): Received {
    switch (control.type) {
      case 'hello':
        return this.#greeted(control);
      case 'ack':
        this.#unacknowledged.delete(control.msg_id);
        return NOTHING;
      case 'gap':
        return { deliver: this.#gapNotices(control), greeted: false };
      case 'pong':
        return NOTHING;
    }
  }

  #greeted(hello: Extract<ServerControl, { type: 'hello' }>): Received {
    const state = this.#state(hello.busy === true);
    if (hello.resumed && this.#cursor !== null) {
      return { deliver: state, greeted: true };
    }
    const startsAfresh = this.#cursor !== null;
    // A journal that started afresh is sent from its beginning: nothing in it has been here.
    this.#moveTo({ epoch: hello.epoch, seq: startsAfresh ? 0 : hello.lastSeq });
    const text =
      '[Hitch] The journal on the cluster started afresh; output from before that may be missing here.\n';
    return { deliver: [...state, ...(startsAfresh ? this.#notices(text) : [])], greeted: true };
  }

  /** A user of this socket knows nothing before it opens; afterwards the kernel's own messages tell it. */
  #state(busy: boolean): Delivery[] {
    const first = !this.#wasGreeted;
    this.#wasGreeted = true;
    return first && busy && this.#deps.tellBusy === true
      ? [{ frame: busyFrame({ messageId: this.#deps.newId(), date: this.#date() }), at: null }]
      : [];
  }

  #date(): string {
    return new Date(this.#deps.now()).toISOString();
  }

  #gapNotices(gap: GapControl): Delivery[] {
    if (this.#cursor !== null && gap.toSeq > this.#cursor.seq) {
      this.#moveTo({ epoch: this.#cursor.epoch, seq: gap.toSeq });
    }
    if (gap.executions.length === 0) {
      return [this.#notice(gapSentence(gap, gap.droppedBytes), gap.droppedBytes)];
    }
    return gap.executions.map(({ messageId, droppedBytes }) =>
      this.#notice(gapSentence(gap, droppedBytes), droppedBytes, {
        messageId,
        session: this.#running.get(messageId) ?? '',
      }),
    );
  }

  #notices(text: string): Delivery[] {
    const running = [...this.#running];
    return running.length === 0
      ? [this.#notice(text, 0)]
      : running.map(([messageId, session]) => this.#notice(text, 0, { messageId, session }));
  }

  #notice(text: string, lostBytes: number, parent = { messageId: '', session: '' }): Delivery {
    const frame = noticeFrame({
      text,
      lostBytes,
      messageId: this.#deps.newId(),
      parentId: parent.messageId,
      parentSession: parent.session,
      date: this.#date(),
    });
    return { frame, at: null };
  }
}
