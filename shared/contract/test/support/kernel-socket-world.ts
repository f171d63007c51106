/** What a kernel socket meets in the tests: a network, time and a server that do what a test says. */
import assert from 'node:assert/strict';
import {
  createKernelSocketClass,
  encodeControl,
  encodeMessage,
  KERNEL_PROTOCOL_HITCH,
  KERNEL_PROTOCOL_V1,
  peekFrame,
  writeUint64,
} from '../../src/index.ts';
import type { InnerSocket, KernelMessage, KernelSocketDeps, ServerControl } from '../../src/index.ts';

export const URL_OF_KERNEL = 'ws://host/api/kernels/k1/channels?session_id=s1';

export function frame(id: string, type = 'stream', parentId = ''): Uint8Array {
  const message: KernelMessage = {
    channel: type === 'execute_reply' ? 'shell' : 'iopub',
    header: { msg_id: id, msg_type: type, session: 'k' },
    parentHeader: parentId === '' ? {} : { msg_id: parentId },
    metadata: {},
    content: { name: 'stdout', text: id },
    buffers: [],
  };
  return encodeMessage(message);
}

export function numbered(seq: number, bytes: Uint8Array): Uint8Array {
  const wire = new Uint8Array(8 + bytes.length);
  writeUint64(new DataView(wire.buffer), 0, seq, false);
  wire.set(bytes, 8);
  return wire;
}

export class FakeInner implements InnerSocket {
  binaryType = 'blob';
  protocol = '';
  readyState = 0;
  bufferedAmount = 0;
  onopen: InnerSocket['onopen'] = null;
  onmessage: InnerSocket['onmessage'] = null;
  onerror: InnerSocket['onerror'] = null;
  onclose: InnerSocket['onclose'] = null;
  readonly sent: (string | Uint8Array)[] = [];
  closed: number | null = null;
  readonly url: string;
  readonly protocols: readonly string[];

  constructor(url: string, protocols: readonly string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(code = 1005): void {
    this.closed = code;
    this.readyState = 3;
  }

  open(protocol = KERNEL_PROTOCOL_HITCH): void {
    this.readyState = 1;
    this.protocol = protocol;
    this.onopen?.({ type: 'open', target: this });
  }

  give(bytes: Uint8Array): void {
    this.onmessage?.({ type: 'message', target: this, data: bytes.slice().buffer });
  }

  control(control: ServerControl): void {
    this.give(encodeControl(control));
  }

  hello(lastSeq: number, options: { epoch?: string; resumed?: boolean; busy?: boolean } = {}): void {
    this.open();
    this.control({
      type: 'hello',
      epoch: options.epoch ?? 'e1',
      firstSeq: 1,
      lastSeq,
      resumed: options.resumed ?? false,
      ...(options.busy === undefined ? {} : { busy: options.busy }),
    });
  }

  end(code: number): void {
    this.readyState = 3;
    this.onclose?.({ type: 'close', target: this, code, reason: '' });
  }

  get messagesSent(): string[] {
    return this.sent.flatMap(data => (typeof data === 'string' ? [] : [peekFrame(data).messageId]));
  }

  get cursor(): string | null {
    return new URL(this.url).searchParams.get('cursor');
  }
}

export function world(extra: Partial<KernelSocketDeps> = {}) {
  const inners: FakeInner[] = [];
  const timers: { run: () => void; ms: number }[] = [];
  let ids = 0;
  const deps: KernelSocketDeps = {
    connect: (url, protocols) => {
      const inner = new FakeInner(url, protocols);
      inners.push(inner);
      return inner;
    },
    setTimer: (run, ms) => {
      const timer = { run, ms };
      timers.push(timer);
      return {
        cancel: () => {
          const at = timers.indexOf(timer);
          if (at >= 0) {
            timers.splice(at, 1);
          }
        },
      };
    },
    random: () => 0.5,
    newId: () => `n${(ids++).toString()}`,
    now: () => 0,
    ...extra,
  };
  return {
    deps,
    KernelSocket: createKernelSocketClass(deps),
    inners,
    timers,
    last: (): FakeInner => {
      const inner = inners.at(-1);
      assert.ok(inner);
      return inner;
    },
    /** Runs the next timer that is at most `ms` long. */
    fire: (): number => {
      const timer = timers.shift();
      assert.ok(timer, 'no timer is set');
      timer.run();
      return timer.ms;
    },
  };
}

export const idsOf = (received: ArrayBuffer[]): string[] =>
  received.map(data => peekFrame(new Uint8Array(data)).messageId);

export function opened(extra: Partial<KernelSocketDeps> = {}) {
  const here = world(extra);
  const socket = new here.KernelSocket(URL_OF_KERNEL, [KERNEL_PROTOCOL_V1]);
  socket.binaryType = 'arraybuffer';
  const received: ArrayBuffer[] = [];
  socket.onmessage = ({ data }) => {
    assert.ok(data instanceof ArrayBuffer);
    received.push(data);
  };
  return { ...here, socket, received };
}
