import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepTime, steadyClockBeside } from '../src/kept-time.ts';
import { silentLog } from '../src/log.ts';

describe('the time that is kept for the next process', () => {
  let folder = '';
  let file = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-time-'));
    file = join(folder, 'clock.json');
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const longAgo = (): void =>
    writeFileSync(file, JSON.stringify({ bootId: 'another', sinceBootMs: 1_000, nowMs: 1_000 }));

  it('says whether it is sure, and is written again once somebody confirms it', () => {
    longAgo();
    const clock = steadyClockBeside(file);
    assert.equal(clock.isSure, false);
    keepTime(clock, file, silentLog);
    assert.equal(steadyClockBeside(file).isSure, false, 'the next process is no surer');
    clock.confirm();
    assert.equal(steadyClockBeside(file).isSure, true);
  });

  it('is written again once the clock’s own time is followed', () => {
    longAgo();
    const clock = steadyClockBeside(file);
    keepTime(clock, file, silentLog);
    clock.trust();
    assert.equal(steadyClockBeside(file).isSure, true);
  });

  it('is only read by a process beside the one that keeps it', () => {
    longAgo();
    const before = readFileSync(file, 'utf8');
    steadyClockBeside(file).confirm();
    assert.equal(readFileSync(file, 'utf8'), before);
  });
});
