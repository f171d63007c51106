import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { Supervisor } from '../../src/agent/processes/supervisor.ts';

describe('What is said of a program that ended before it was ready', () => {
  /** Its message once it has been given up for the first time. */
  async function messageOf(reason: () => string | null): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'hitch-supervisor-'));
    try {
      return await new Promise(resolve => {
        let isOver = false;
        const supervisor: Supervisor = new Supervisor({
          name: 'ray',
          clock: systemClock,
          log: silentLog,
          runFolder: folder,
          logFile: join(folder, 'ray.log'),
          program: () =>
            Promise.resolve({
              file: process.execPath,
              args: ['-e', 'setTimeout(() => console.log("its last line"), 200)'],
              cwd: folder,
              environment: process.env,
            }),
          // Not ready until it is told that nothing comes any more.
          ready: signal =>
            new Promise((_, reject) => {
              signal.addEventListener('abort', () => {
                reject(new Error('aborted'));
              });
            }),
          cleanUp: () => Promise.resolve(),
          changed: () => {
            if (supervisor.state.restarts > 0 && !isOver) {
              isOver = true;
              const { message } = supervisor.state;
              void supervisor.stop().then(() => {
                resolve(message);
              });
            }
          },
          readyWithinMs: 60_000,
          reason,
        });
        supervisor.start();
      });
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  it('is its trouble in the very words that are used while it still runs', async () => {
    assert.equal(await messageOf(() => 'its dashboard did not start'), 'its dashboard did not start');
  });

  it('is its last line where no trouble is known', async () => {
    assert.equal(await messageOf(() => null), 'ray ended before it was ready: its last line');
  });
});
