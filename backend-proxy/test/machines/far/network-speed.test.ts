/** How much a machine is listened to whose network is measured. */
import assert from 'node:assert/strict';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import type { FarShell } from '../../../src/access/tunnel/far-shell.ts';
import type { NetworkSpeed } from '../../../src/access/host.ts';
import { measureNetwork } from '../../../src/machines/far/network-speed.ts';
import { programsFor } from '../../../src/machines/far/place.ts';
import { parseLook } from '../../../src/machines/far/facts.ts';
import { LOOK_TEXT } from './looks.ts';

const MEGABYTE = 1_000_000;
const PIECE = Buffer.alloc(MEGABYTE / 4);

interface Scene {
  readonly before?: NetworkSpeed | null;
  /** What it says of what came in. */
  readonly says?: string;
}

describe('a machine whose network is measured', () => {
  /** @param sends how many megabytes it sends, unless nobody listens any more */
  function scene(sends: number, { before = null, says = '::in 1000000 100' }: Scene = {}) {
    const clock = new VirtualClock();
    const seen = { sent: 0, wasEnded: false, kept: [] as unknown[] };
    const shell: Pick<FarShell, 'name' | 'run' | 'follow'> = {
      name: 'gpu-box',
      run: (_program, { input }) => {
        const kept = typeof input === 'string' ? /^KEPT=(.*)$/m.exec(input)?.[1] : undefined;
        seen.kept.push(JSON.parse(kept ?? 'null'));
        return Promise.resolve({ code: 0, stdout: `${says}\n`, stderr: '' });
      },
      follow: (_program, onBytes, signal) => {
        while (seen.sent < sends * MEGABYTE) {
          if (signal.aborted) {
            seen.wasEnded = true;
            return Promise.reject(signal.reason as Error);
          }
          clock.jump(25);
          seen.sent += PIECE.length;
          onBytes(PIECE);
        }
        return Promise.resolve(0);
      },
    };
    const measured = measureNetwork(
      {
        shell: shell as FarShell,
        clock,
        root: '/home/ada/.hitch/far',
        programs: programsFor('gpu-box', parseLook(LOOK_TEXT)),
        environment: {},
        isPriced: false,
        before,
      },
      new AbortController().signal,
    );
    return { measured, seen };
  }

  it('is listened to until it has sent all', async () => {
    const { measured, seen } = scene(4);
    assert.deepEqual(await measured, {
      downMbps: 80,
      isOwnIndex: false,
      upMbps: 80,
      whyNoDown: '',
      whyNoUp: '',
      begun: 1,
      ended: 1,
    });
    assert.equal(seen.wasEnded, false);
  });

  it('is cut off where it sends on and on', async () => {
    const { measured, seen } = scene(400);
    assert.equal((await measured).upMbps, 80);
    assert.equal(seen.wasEnded, true);
    assert.ok(seen.sent < 6 * MEGABYTE, seen.sent.toString());
  });

  it('keeps that it was begun before anything is moved, and that it ended once it has', async () => {
    const first = scene(4);
    const before = await first.measured;
    assert.deepEqual(first.seen.kept.map(timesOf), [
      [1, 0],
      [1, 1],
    ]);
    const second = scene(4, { before });
    await second.measured;
    assert.deepEqual(second.seen.kept.map(timesOf), [
      [2, 1],
      [2, 2],
    ]);
    const silent = scene(4, { before, says: '::not index' });
    assert.deepEqual(timesOf(await silent.measured), [2, 1], 'what did not come in was not measured');
  });
});

const timesOf = (kept: unknown): readonly number[] => {
  const { begun, ended } = kept as NetworkSpeed;
  return [begun, ended];
};
