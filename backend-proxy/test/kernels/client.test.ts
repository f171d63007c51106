import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import WebSocket from 'ws';
import { decodeHitchFrame } from '@hitch/contract';
import { KernelClient } from '../../src/agent/kernels/client.ts';
import { type Gap, gapFrame, readGap } from '../../src/agent/kernels/journal/gap.ts';
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

  /** Control frames. */
  readonly controls: Uint8Array[] = [];

  send(bytes: Uint8Array): void {
    this.controls.push(bytes);
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
            format: 'hitch',
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
          assert.deepEqual(socket.controls, []);
        },
      ),
      { numRuns: 200 },
    );
  });

  describe('hostile: output that a full disk took from the journal', () => {
    const gap = (seq: number, fromSeq: number, toSeq: number): JournalRecord => {
      const loss = { fromSeq, toSeq, messages: 1, droppedBytes: 10, reason: 'disk' } as const;
      const said: Gap = { ...loss, executions: [], cells: [] };
      return makeRecord(
        { kind: 'gap', channel: 'iopub', type: 'other', execution: 0, timeMs: 0, frame: gapFrame(said) },
        seq,
      );
    };

    /** The losses that a client is told of that reads `written` from `cursor`; `late` comes while it reads. */
    const toldOf = async (
      cursor: number,
      written: readonly JournalRecord[],
      late: readonly JournalRecord[] = [],
    ): Promise<[number, number][]> => {
      const there = [...written];
      const socket = new SlowSocket();
      const told: [number, number][] = [];
      const client = new KernelClient({
        socket: socket as unknown as WebSocket,
        stream: socket.stream,
        session: 's',
        format: 'hitch',
        cursor,
        source: {
          read: async afterSeq => {
            await turn();
            return there.filter(({ seq }) => seq > afterSeq).slice(0, 2);
          },
          // Numbers up to 20 were given, whatever is left of them.
          lastSeq: () => Math.max(20, there.at(-1)?.seq ?? 0),
          wants: () => true,
          gap: found => {
            const { executions: _, cells: __, ...rest } = readGap(found);
            return { type: 'gap', ...rest, executions: [] };
          },
          notice: () => assert.fail('it is no stock client'),
          failed: error => assert.fail(String(error)),
        },
      });
      client.start();
      for (let round = 0; round < 20; round++) {
        await turn();
      }
      there.push(...late);
      client.deliver(late);
      for (const bytes of socket.controls) {
        const frame = decodeHitchFrame(bytes);
        if ('control' in frame && frame.control?.type === 'gap') {
          told.push([frame.control.fromSeq, frame.control.toSeq]);
        }
      }
      return told;
    };

    it('is told to a client that was led past it, though the gap stands behind what came later', async () => {
      const written = [record(21), record(22), record(23), gap(24, 4, 20), record(25)];
      assert.deepEqual(await toldOf(3, written), [[4, 20]]);
      assert.deepEqual(await toldOf(10, written), [[4, 20]]);
    });

    it('is told though the gap is said only after the client was led past it', async () => {
      assert.deepEqual(await toldOf(3, [], [gap(21, 4, 20)]), [[4, 20]]);
    });

    it('is not told to a client that had it', async () => {
      assert.deepEqual(await toldOf(20, [record(21), gap(22, 4, 20), record(23)]), []);
      assert.deepEqual(await toldOf(20, [], [record(21), gap(22, 4, 20)]), []);
    });

    it('is told once each where several losses are said late, also beside a hole of no loss', async () => {
      const written = [
        gap(8, 4, 8),
        record(9),
        record(21),
        gap(22, 10, 14),
        gap(23, 15, 20),
        gap(24, 10, 20),
      ];
      assert.deepEqual(await toldOf(3, written), [
        [4, 8],
        [10, 14],
        [15, 20],
      ]);
      assert.deepEqual(await toldOf(3, [record(30), gap(31, 30, 30)]), []);
    });
  });
});
