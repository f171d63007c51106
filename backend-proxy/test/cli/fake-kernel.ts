import assert from 'node:assert/strict';
import type { KernelMessage } from '@hitch/contract';
import type { ChannelEvents, KernelChannel } from '../../src/cli/notebook/channel.ts';

export type Script = (kernel: FakeKernel, request: KernelMessage) => void;

/** A kernel that answers as its script says. */
export class FakeKernel implements KernelChannel {
  readonly sessionId = 'me';
  readonly sent: KernelMessage[] = [];
  interrupts = 0;
  closed = false;
  script: Script;
  onInterrupt: (kernel: FakeKernel) => void = () => undefined;
  /** What it publishes of a question of what it is; without this it only answers, as one whose output thread has died. */
  onInfo: (kernel: FakeKernel, question: KernelMessage) => void = () => undefined;
  #events: ChannelEvents | null = null;
  #count = 0;

  constructor(script: Script) {
    this.script = script;
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
  }

  close(): void {
    this.closed = true;
  }

  send(message: KernelMessage): void {
    if (message.header.msg_type === 'kernel_info_request') {
      const content = { status: 'ok', language_info: { name: 'python' } };
      queueMicrotask(() => {
        this.say('shell', 'kernel_info_reply', content, message);
        this.onInfo(this, message);
      });
      return;
    }
    this.sent.push(message);
    queueMicrotask(() => this.script(this, message));
  }

  get events(): ChannelEvents {
    assert.ok(this.#events);
    return this.#events;
  }

  say(
    channel: KernelMessage['channel'],
    type: string,
    content: Record<string, unknown>,
    parent?: Pick<KernelMessage, 'header'>,
  ): void {
    this.events.message({
      channel,
      header: { msg_id: `k${this.#count++}`, msg_type: type, session: 'kernel' },
      parentHeader: parent?.header ?? {},
      metadata: {},
      content,
      buffers: [],
    });
  }

  print(request: Pick<KernelMessage, 'header'>, text: string, name = 'stdout'): void {
    this.say('iopub', 'stream', { name, text }, request);
  }

  reply(request: Pick<KernelMessage, 'header'>, content: Record<string, unknown>): void {
    this.say('shell', 'execute_reply', content, request);
  }

  idle(request: Pick<KernelMessage, 'header'>): void {
    this.say('iopub', 'status', { execution_state: 'idle' }, request);
  }

  ok(request: Pick<KernelMessage, 'header'>, count = 1): void {
    this.reply(request, { status: 'ok', execution_count: count });
    this.idle(request);
  }

  fail(request: Pick<KernelMessage, 'header'>, ename = 'ValueError', evalue = 'no'): void {
    this.say('iopub', 'error', { ename, evalue, traceback: ['trace'] }, request);
    this.reply(request, { status: 'error', ename, evalue, execution_count: 1 });
    this.idle(request);
  }
}
