import assert from 'node:assert/strict';
import { decodeMessage, type Execution, HitchError, noticeFrame } from '@hitch/contract';
import { KernelLostError } from '../../src/cli/notebook/errors.ts';
import { followOn } from '../../src/cli/notebook/follow-kernel.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { FakeKernel } from './fake-kernel.ts';

const CELL = { header: { msg_id: 'm', msg_type: 'execute_request', session: 's' } };

const execution = (state: Execution['state']): Execution => ({
  messageId: 'm',
  cellId: null,
  kernelId: 'k',
  state,
  code: '',
  executionCount: null,
  startedAtMs: null,
  endedAtMs: null,
  outputs: [],
  droppedBytes: 0,
  lastSeq: 0,
});

/** Follows one cell of a kernel; each look at it is answered by what the test gives. */
function following(...looks: readonly (() => Execution['state'])[]) {
  const kernel = new FakeKernel(() => undefined);
  const clock = new VirtualClock();
  const said: string[] = [];
  const asked: string[] = [];
  const stop = new AbortController();
  const done = followOn(kernel, {
    clock,
    messageIds: ['m'],
    look: async () => {
      const look = looks[Math.min(asked.length, looks.length - 1)];
      asked.push('look');
      return [execution(look?.() ?? 'ok')];
    },
    report: {
      stream: (name, text) => said.push(`${name}: ${text}`),
      output: output => said.push(output.output_type),
      notice: sentence => said.push(sentence),
    },
    signal: stop.signal,
  });
  done.catch(() => undefined);
  /** The next looks, until the following is over. */
  const untilOver = async () => {
    const over = done.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([over, new Promise<false>(resolve => setImmediate(resolve, false))]))) {
      clock.step();
    }
    return done;
  };
  return { kernel, clock, said, asked, stop, untilOver };
}

const running = (): Execution['state'] => 'running';
const unreachable = (): never => {
  throw new HitchError('UNREACHABLE', 'The cluster does not answer at the moment.');
};

describe('following what somebody else runs', () => {
  it('goes on over a broken way, and until all that was shown is here', async () => {
    const { kernel, said, asked, untilOver } = following(unreachable, running, unreachable, () => 'ok');
    kernel.print(CELL, 'a');
    kernel.events.connection('down');
    kernel.events.connection('up');
    kernel.print(CELL, 'b');
    kernel.idle(CELL);
    const followed = await untilOver();
    assert.deepEqual([followed?.executions[0]?.state, followed?.lostBytes], ['ok', null]);
    assert.equal(asked.length, 4);
    assert.deepEqual(
      said.filter(line => line.startsWith('stdout')),
      ['stdout: a', 'stdout: b'],
    );
    assert.equal(kernel.closed, true);
  });

  it('waits for output that comes long after the answer, and says where it may never come', async () => {
    const answered = (): Execution['state'] => 'ok';
    const silent = Array.from({ length: 30 }, () => answered);
    const late = following(...silent, () => {
      late.kernel.print(CELL, 'late');
      late.kernel.idle(CELL);
      return 'ok';
    });
    const followed = await late.untilOver();
    assert.deepEqual([late.said, followed?.lostBytes], [['stdout: late'], null]);
    const never = following(answered);
    assert.equal((await never.untilOver())?.lostBytes, 0);
    assert.match(never.said.join(), /what it printed last may be missing/);
    const lost = following(() => 'lost');
    assert.equal((await lost.untilOver())?.lostBytes, null);
    assert.equal(lost.asked.length, 2);
  });

  it('ends where there is nothing to come back to, and at what it does not know', async () => {
    const gone = following(unreachable);
    gone.kernel.events.ended('llm-dev is stopped; its kernels are gone.');
    await assert.rejects(gone.untilOver(), KernelLostError);
    const refused = following(() => {
      throw new HitchError('NOT_FOUND', 'There is no such kernel.');
    });
    await assert.rejects(refused.untilOver(), /There is no such kernel/);
    const left = following(running);
    left.stop.abort();
    assert.equal(await left.untilOver(), null);
  });

  it('says and counts what is missing of it, also where nobody knows of which cell', async () => {
    const { kernel, said, untilOver } = following(running, () => 'ok');
    const missing = (parentId: string, text: string, lostBytes?: number) =>
      kernel.events.message(
        decodeMessage(
          noticeFrame({
            text,
            messageId: text,
            parentId,
            parentSession: 's',
            date: '',
            ...(lostBytes === undefined ? {} : { lostBytes }),
          }),
        ),
      );
    missing('', '[Hitch] 10 bytes are gone.\n', 10);
    missing('m', '[Hitch] A message was left out.\n', 5);
    missing('other', '[Hitch] Not here.\n', 100);
    kernel.idle(CELL);
    const followed = await untilOver();
    assert.equal(followed?.lostBytes, 15);
    assert.deepEqual(said, ['[Hitch] 10 bytes are gone.', 'stderr: [Hitch] A message was left out.\n']);
  });
});
