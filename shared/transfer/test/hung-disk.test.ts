import assert from 'node:assert/strict';
import { DiskThread } from '../src/thread/disk-thread.ts';

describe('a disk that hangs', () => {
  it('keeps nobody who ends a copy waiting', async function () {
    this.timeout(60_000);
    // What a thread looks like from outside while one of its calls to the system does not return.
    const hung = new DiskThread({
      code: "require('node:worker_threads').parentPort.on('message', () => {})",
    });
    const end = new AbortController();
    const target = hung.target('/', false);
    const room = target.room(['tmp'], end.signal);
    const written = target.write(
      ['tmp'],
      [],
      { conflict: 'skip', stamp: '' },
      nothing(),
      end.signal,
      () => undefined,
    );
    end.abort(new Error('The time is over.'));
    await assert.rejects(room, /The time is over/);
    await assert.rejects(written, /The time is over/);
    assert.equal(hung.isIdle, false, 'another copy would wait for it');
    await hung.close();
  });
});

async function* nothing(): AsyncGenerator<Uint8Array> {
  // A stream without files.
}
