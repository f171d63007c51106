/** Checkpoints of a job that rents, as they are kept on this computer: from a machine that may break off or lie. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileEntry } from '@hitch/contract';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { createIds } from '@hitch/platform/src/random.ts';
import { Checkpoints } from '../../src/jobs/rented/checkpoints.ts';
import { checkpointsFolder } from '../../src/jobs/rented/files.ts';
import type { RentedJob } from '../../src/jobs/rented/transitions.ts';
import { RentedRig } from './rented-rig.ts';

const file = (path: string, modifiedAtMs = 1): FileEntry => ({
  path,
  name: path.split('/').at(-1) ?? '',
  kind: 'file',
  sizeBytes: 3,
  modifiedAtMs,
  writable: true,
});
const folder = (path: string): FileEntry => ({ ...file(path), kind: 'folder' });

describe('The checkpoints of a job that rents', function () {
  // The first of them opens a store, on a computer that may be busy.
  this.timeout(300_000);
  let rig: RentedRig;
  let job: () => RentedJob;
  let entries: ReadonlyMap<string, readonly FileEntry[]>;
  let calls = 0;
  let problem: Error | null = null;
  let checkpoints: Checkpoints;
  const signal = new AbortController().signal;
  const clock = new VirtualClock();

  const opened = (): Checkpoints =>
    new Checkpoints({
      clock,
      ids: createIds(clock, rig.practice.random),
      ledger: rig.practice.ledger,
      folder: rig.folder,
      list: (_, path) => {
        calls += 1;
        if (calls > 100_000) {
          throw new Error('it looks without end');
        }
        return Promise.resolve(entries.get(path) ?? entries.get('*')?.map(each => below(path, each)) ?? []);
      },
      copy: ({ sources, target }) => {
        for (const source of sources) {
          mkdirSync(target, { recursive: true });
          writeFileSync(join(target, source.split('/').at(-1) ?? ''), 'abc');
        }
        return problem === null ? Promise.resolve() : Promise.reject(problem);
      },
    });
  const below = (path: string, each: FileEntry): FileEntry => ({ ...each, path: `${path}/${each.name}` });
  const kept = (): string[] => {
    const root = checkpointsFolder(rig.folder, job().id);
    return existsSync(root) ? readdirSync(root) : [];
  };
  const keep = async (): Promise<void> => {
    await rig.practice.pass(checkpoints.keep(job(), signal));
    clock.jump(10_000);
  };

  beforeEach(async () => {
    calls = 0;
    problem = null;
    entries = new Map([['code/out', [file('code/out/step-1.pt')]]]);
    rig = await new RentedRig().open();
    rig.exitCode = null;
    const place = mkdtempSync(join(tmpdir(), 'hitch-code-'));
    const code = join(place, 'code');
    mkdirSync(code);
    writeFileSync(join(code, 'train.py'), 'print(1)');
    const id = await rig.begin({
      work: {
        kind: 'program',
        spec: { work: { kind: 'command', command: ['python', 'train.py'] } },
        folder: code,
        checkpoints: 'out',
      },
    });
    rmSync(place, { recursive: true });
    await rig.untilStage(id, 'running');
    job = () => rig.record(id) as RentedJob;
    checkpoints = opened();
  });
  afterEach(() => rig.dispose());

  it('are kept once nobody has changed them for a while, the newest in the place of the one before', async () => {
    await keep();
    assert.equal(job().rental.checkpoint, null);
    await keep();
    const first = job().rental.checkpoint;
    assert.equal(first?.name, 'step-1.pt');
    entries = new Map([['code/out', [file('code/out/step-1.pt'), file('code/out/step-2.pt', 2)]]]);
    await keep();
    await keep();
    const { checkpoint } = job().rental;
    assert.equal(checkpoint?.name, 'step-2.pt');
    assert.equal(checkpoint.files, 2);
    assert.deepEqual(
      kept().map(name => join(checkpointsFolder(rig.folder, job().id), name)),
      [checkpoint.folder],
    );
  });

  it('are not kept while what their framework writes last is missing, however quiet they are', async () => {
    const before = folder('code/out/checkpoint-1');
    const open = folder('code/out/checkpoint-2');
    const parts = (of: FileEntry, ...names: string[]): [string, FileEntry[]] => [
      of.path,
      names.map(name => file(`${of.path}/${name}`, Number(of.name.at(-1)))),
    ];
    const whole = ['training_args.bin', 'trainer_state.json'];
    entries = new Map([
      ['code/out', [before, open]],
      parts(before, ...whole),
      parts(open, 'training_args.bin'),
    ]);
    await keep();
    await keep();
    await keep();
    assert.equal(job().rental.checkpoint?.name, 'checkpoint-1');
    entries = new Map([['code/out', [before, open]], parts(before, ...whole), parts(open, ...whole)]);
    await keep();
    await keep();
    assert.equal(job().rental.checkpoint?.name, 'checkpoint-2');
  });

  it('leave nothing of a copy that broke off, however often it does', async () => {
    problem = new Error('not all was copied');
    await keep();
    for (let tries = 0; tries < 3; tries++) {
      await assert.rejects(keep(), /not all was copied/);
      clock.jump(60_000);
    }
    assert.deepEqual(kept(), []);
    assert.equal(job().rental.checkpoint, null);
  });

  it('leave nothing of what a daemon was about when it died', async () => {
    await keep();
    await keep();
    const whole = job().rental.checkpoint?.folder ?? '';
    const half = join(checkpointsFolder(rig.folder, job().id), 'half');
    mkdirSync(half);
    checkpoints = opened();
    await keep();
    assert.equal(existsSync(half), false);
    assert.equal(existsSync(whole), true);
  });

  for (const [name, endless] of [
    ['deeper and deeper', [folder('x')]],
    ['wider and wider', Array.from({ length: 500 }, (_, at) => folder(`x${at.toString()}`))],
  ] as const) {
    it(`are not looked for without end where a machine shows folders ${name}, and the job says so`, async () => {
      entries = new Map([['*', endless]]);
      await keep();
      assert.match(
        job().rental.message,
        /^Its checkpoints are not kept here: ~\/work\/code\/out has more than 20000/,
      );
      entries = new Map([['code/out', [file('code/out/step-1.pt')]]]);
      await keep();
      assert.equal(job().rental.message, '');
    });
  }
});
