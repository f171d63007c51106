import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import WebSocket from 'ws';
import { KernelClient } from '../../src/agent/kernels/client.ts';
import { makeRecord, type JournalRecord } from '../../src/agent/kernels/journal/record.ts';

/** A client's socket that takes what it is given when told so. */
class SlowSocket extends EventEmitter {
  readonly OPEN = WebSocket.OPEN;
  readonly readyState = WebSocket.OPEN;
  readonly got: number[] = [];
  bufferedAmount = 0;
  #waiting: (() => void)[] = [];
  readonly stream = new Duplex({
    read: () => undefined,
    write: (bytes: Buffer, _encoding, done) => {
      // A header of two bytes, the sequence number, the frame.
      this.got.push(Number(bytes.readBigUInt64BE(2)));
      done();
    },
  });

  ping(_data: string, _mask: boolean, left: () => void): void {
    this.#waiting.push(left);
  }

  send(): void {
    throw new Error('no control frames are expected');
  }

  fill(): void {
    this.bufferedAmount = 100 * 1024 * 1024;
  }

  drain(): void {
    this.bufferedAmount = 0;
    this.#waiting.splice(0).forEach(left => left());
  }
}

const record = (seq: number): JournalRecord =>
  makeRecord(
    {
      kind: 'server',
      channel: 'iopub',
      type: 'stream',
      execution: 1,
      timeMs: 0,
      frame: Buffer.from(seq.toString()),
    },
    seq,
  );

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('a client of the journal', () => {
  it('gets each record once and in order, however often it falls behind and catches up', async () => {
    const step = fc.oneof(
      fc.record({ does: fc.constant('append' as const), count: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ does: fc.constantFrom('fill' as const, 'drain' as const, 'turn' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, cursor, readsAtOnce) => {
          const written = [1, 2, 3, 4, 5, 6].map(record);
          const socket = new SlowSocket();
          const client = new KernelClient({
            socket: socket as unknown as WebSocket,
            stream: socket.stream,
            session: 's',
            hitch: true,
            cursor,
            source: {
              // Reading takes a while, in which more is written and delivered.
              read: async afterSeq => {
                await turn();
                return written.slice(afterSeq, afterSeq + readsAtOnce);
              },
              lastSeq: () => written.length,
              wants: () => true,
              gap: () => assert.fail('there are no gaps'),
              notice: () => assert.fail('there are no gaps'),
              failed: error => assert.fail(String(error)),
            },
          });
          client.start();
          for (const { does, ...rest } of steps) {
            if (does === 'append') {
              const fresh = Array.from({ length: 'count' in rest ? rest.count : 0 }, (_, n) =>
                record(written.length + n + 1),
              );
              written.push(...fresh);
              client.deliver(fresh);
            } else if (does === 'turn') {
              await turn();
            } else {
              socket[does]();
            }
          }
          for (let round = 0; round < 2 * written.length + 4; round++) {
            socket.drain();
            await turn();
          }
          assert.deepEqual(
            socket.got,
            written.map(({ seq }) => seq).filter(seq => seq > cursor),
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});
