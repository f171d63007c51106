import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { inCache } from '../setup/common.mjs';
import { withLock } from '../setup/lock.mjs';

const moduleUrl = new URL('../setup/lock.mjs', import.meta.url).href;

/** Appends a line at the start and at the end of its work, with a pause in between that invites a clash. */
function worker(lock: string, journal: string): Promise<unknown> {
  const program = `
    import { appendFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { withLock } from ${JSON.stringify(moduleUrl)};
    await withLock(${JSON.stringify(lock)}, async () => {
      appendFileSync(${JSON.stringify(journal)}, 'in ' + process.pid + '\\n');
      await sleep(50);
      appendFileSync(${JSON.stringify(journal)}, 'out ' + process.pid + '\\n');
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
  return once(child, 'exit');
}

describe('the set-up lock', () => {
  let lock = '';
  beforeEach(() => {
    lock = `test-${randomUUID()}`;
  });
  afterEach(() => {
    for (const suffix of ['lock', 'journal']) rmSync(inCache(`${lock}.${suffix}`), { force: true });
  });

  it('lets one process in at a time and takes a dead owner’s lock over', async () => {
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    await withLock(lock, () => Promise.resolve());
    writeFileSync(inCache(`${lock}.lock`), String(dead.pid));
    const journal = inCache(`${lock}.journal`);
    await Promise.all([1, 2, 3].map(() => worker(lock, journal)));
    const lines = readFileSync(journal, 'utf8').trim().split('\n');
    assert.equal(lines.length, 6);
    for (let index = 0; index < lines.length; index += 2) {
      assert.equal(lines[index + 1], lines[index]?.replace('in', 'out'));
    }
    assert.equal(existsSync(inCache(`${lock}.lock`)), false);
  });

  it('is free again after work that failed', async () => {
    await assert.rejects(
      withLock(lock, () => Promise.reject(new Error('no disk'))),
      /no disk/,
    );
    assert.equal(await withLock(lock, () => Promise.resolve('in')), 'in');
  });
});
