import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Shares } from '../../../src/agent/use/shares.ts';

const JOB = 'job_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const KERNEL = '01234567-89ab-cdef-0123-456789abcdef';

describe('What kernels and jobs have of a node', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hitch-proc-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  interface Made {
    readonly parent?: number;
    readonly ticks?: number;
    readonly pages?: number;
    readonly environment?: readonly string[];
    readonly args?: readonly string[];
    readonly startTicks?: number;
  }

  /** A process as the kernel shows it: proc(5), fields 1, 2, 4, 14 to 17, 22 and 24. */
  function process_(pid: number, made: Made): void {
    const { parent = 1, ticks = 0, pages = 256, environment = ['HITCH_NODE=ref'], args = ['python'] } = made;
    const fields = [
      'S',
      parent,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      ticks,
      0,
      0,
      0,
      20,
      0,
      1,
      0,
      made.startTicks ?? pid,
      0,
      pages,
    ];
    mkdirSync(join(root, pid.toString()), { recursive: true });
    writeFileSync(join(root, pid.toString(), 'stat'), `${pid.toString()} (a) b) ${fields.join(' ')} 0\n`);
    writeFileSync(join(root, pid.toString(), 'environ'), environment.join('\0'));
    writeFileSync(join(root, pid.toString(), 'cmdline'), args.join('\0'));
  }

  const shares = (): Shares => new Shares({ ref: 'ref', root, self: 2 });
  const kernelArgs = ['python', '-m', 'ipykernel_launcher', '-f', `/run/kernel-${KERNEL}.json`];

  it('is added up over all that they started', () => {
    process_(10, { args: kernelArgs });
    process_(11, { parent: 10, pages: 512 });
    process_(12, { parent: 11, pages: 256 });
    process_(20, { environment: ['HITCH_NODE=ref', `HITCH_JOB=${JOB}`] });
    // Started by the kernel, and a job's all the same.
    process_(21, { parent: 10, environment: ['HITCH_NODE=ref', `HITCH_JOB=${JOB}`] });
    process_(30, { environment: ['HITCH_NODE=ref', 'HITCH_PROGRAM=ray'] });
    process_(40, { environment: ['HITCH_NODE=ref', 'HITCH_JOB=\u0007'] });
    process_(50, { environment: ['HITCH_NODE=another'] });
    process_(51, { environment: [] });
    process_(2, {});
    process_(3, { parent: 2 });
    const vram = [
      { pid: 12, vramMiB: 300 },
      { pid: 12, vramMiB: 100 },
      { pid: 9_999, vramMiB: 7 },
    ];
    const found = shares().look(0, vram);
    assert.deepEqual(
      found.map(({ owner, memoryMiB, vramMiB }) => [owner.of, owner.id, memoryMiB, vramMiB]),
      [
        ['kernel', KERNEL, 4, 400],
        ['job', JOB, 2, null],
        ['ray', '', 1, null],
        ['other', '', 1, null],
      ],
    );
    assert.ok(found.every(({ cpuPercent }) => cpuPercent === null));
  });

  it('is the time of a processor between two looks', () => {
    const reader = shares();
    process_(10, { args: kernelArgs, ticks: 100 });
    reader.look(0, []);
    process_(10, { args: kernelArgs, ticks: 250 });
    process_(11, { parent: 10, ticks: 5_000 });
    assert.equal(reader.look(1_000, [])[0]?.cpuPercent, 150, 'one that is new begins to be counted');
    process_(11, { parent: 10, ticks: 5_010 });
    assert.equal(reader.look(2_000, [])[0]?.cpuPercent, 10);
  });

  it('stays a kernel’s when its parent has ended, and is nobody’s before when the number is used again', () => {
    const reader = shares();
    process_(10, { args: kernelArgs });
    process_(11, { parent: 10 });
    reader.look(0, []);
    rmSync(join(root, '10'), { recursive: true });
    process_(11, { parent: 1, startTicks: 11 });
    assert.equal(reader.look(1, [])[0]?.owner.of, 'kernel');
    process_(11, { parent: 1, startTicks: 99 });
    assert.equal(reader.look(2, [])[0]?.owner.of, 'other');
  });
});
