/** A template's test trains for real, is ended in the middle, and goes on; what does not work is named. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { HitchError } from '@hitch/contract';
import { until } from '../kernels/clients.ts';
import { findPython } from '../../src/machines/find-python.ts';
import { runCommand } from '../../src/machines/python.ts';
import { tryHere, type Trial } from '../../src/templates/try-here.ts';

const sample = join(import.meta.dirname, '../../../samples/templates/numpy-classifier');

const hitch = (change: string): string =>
  [
    'schema: hitch-template/1',
    'name: small',
    'version: 1.0.0',
    'title: Small',
    'description: Small.',
    'presets: {smoke: {title: Smoke}}',
    'test: {preset: smoke, within: 2m}',
    change,
    '',
  ].join('\n');

/** As a training does it: a line with the loss for each step, a checkpoint after each, slowly enough to be ended. */
const TRAIN = `
import json, os, sys, time
os.makedirs("out", exist_ok=True)
step = max([int(name) for name in os.listdir("out") if name.isdigit()], default=0) if "--resume" in sys.argv else 0
while step < 12:
    step += 1
    open(f"out/{step}", "w").close()
    print(json.dumps({"step": step, "loss": (1 / step if "--falls" in sys.argv else step)}), flush=True)
    time.sleep(0.1)
`;

/** Gone, or only not waited for yet. */
function isOver(pid: string): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

describe('a template that is tried on this computer', () => {
  let folder: string;
  let python: string;
  before(async () => {
    python = (await findPython(process.env['HITCH_PYTHON'], runCommand, new AbortController().signal)) ?? '';
    assert.notEqual(python, '');
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-try-'));
    writeFileSync(join(folder, 'train.py'), TRAIN);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const trial = (change: string): Promise<Trial> => {
    writeFileSync(join(folder, 'hitch.yaml'), hitch(change));
    return tryHere(folder, {
      hitch: '0.1.0',
      clock: systemClock,
      environment: process.env,
      python: async () => python,
      onLine: () => undefined,
      signal: new AbortController().signal,
    });
  };

  it('works when its loss falls and it goes on from its checkpoint', async () => {
    const { ok, lossFell, resumedFromStep, problems } = await trial(
      'run: {command: [python, train.py, --falls, --resume]}\ncheckpoints: {folder: out}\noutputs: {last: {path: out/12}}',
    );
    assert.deepEqual(problems, []);
    assert.ok(ok && lossFell === true);
    assert.ok(resumedFromStep !== null && resumedFromStep > 1);
  });

  it('does not work when it begins anew after it was ended', async () => {
    const { ok, problems } = await trial(
      'run: {command: [python, train.py, --falls]}\ncheckpoints: {folder: out}',
    );
    assert.ok(!ok);
    assert.match(
      problems.join(),
      /After it was ended at step \d+ it began anew at step 1, instead of going on/,
    );
  });

  it('does not work when its loss rises, it fails, or leaves no output', async () => {
    assert.match(
      (await trial('run: {command: [python, train.py]}')).problems.join(),
      /The loss did not fall: 1 at first, 12 at the end/,
    );
    const failing = await trial('run: {script: "echo it breaks here; exit 3"}');
    assert.deepEqual(failing.problems, ['It ended with exit code 3.']);
    assert.deepEqual(failing.tail, ['it breaks here']);
    assert.deepEqual((await trial('run: {command: [no-such-program]}')).problems, [
      'The program that it starts is not there.',
    ]);
    assert.match(
      (await trial('run: {script: "true"}\noutputs: {model: {path: model.bin}}')).problems.join(),
      /The output “model” is not there: nothing was written to model\.bin/,
    );
  });

  it('is ended at its time with all that it started', async () => {
    const slow = 'presets: {smoke: {title: Smoke}}\ntest: {preset: smoke, within: 1s}\n';
    writeFileSync(
      join(folder, 'hitch.yaml'),
      hitch('run: {script: "sleep 600 & sleep 600"}').replace(/presets:.*\ntest:.*\n/, slow),
    );
    const { problems } = await tryHere(folder, {
      hitch: '0.1.0',
      clock: systemClock,
      environment: process.env,
      python: async () => python,
      onLine: () => undefined,
      signal: new AbortController().signal,
    });
    assert.deepEqual(problems, ['It was not done within 1s, and was ended.']);
  });

  it('ends with all that it started where it is given up, and leaves no copy', async () => {
    const stop = new AbortController();
    const said: string[] = [];
    writeFileSync(
      join(folder, 'hitch.yaml'),
      // One of them leaves the group, as the workers of torchrun do.
      hitch('run: {script: "setsid sleep 600 & sleep 1; echo $! $PWD; wait"}\ncheckpoints: {folder: out}'),
    );
    const given = tryHere(folder, {
      hitch: '0.1.0',
      clock: systemClock,
      environment: process.env,
      python: async () => python,
      onLine: line => {
        said.push(line);
        stop.abort();
      },
      signal: stop.signal,
    });
    await assert.rejects(given, { name: 'AbortError' });
    const [pid = '', copy = ''] = said[0]?.split(' ') ?? [];
    assert.ok(!existsSync(copy));
    await until('what it started has ended', () => isOver(pid));
  });

  it('has to be one that is right, and names a test', async () => {
    await assert.rejects(
      trial('rnu: {}'),
      (error: unknown) => error instanceof HitchError && /no key “rnu”/.test(error.message),
    );
    writeFileSync(join(folder, 'hitch.yaml'), hitch('run: {script: "true"}').replace(/test:.*\n/, ''));
    await assert.rejects(
      tryHere(folder, {
        hitch: '0.1.0',
        clock: systemClock,
        environment: {},
        python: async () => python,
        onLine: () => undefined,
        signal: new AbortController().signal,
      }),
      /names no test/,
    );
  });

  it('is the sample that comes with Hitch, with numpy', async function () {
    const probe = await runCommand(python, ['-c', 'import numpy'], new AbortController().signal);
    if (probe.code !== 0) {
      console.log('    skipped: the Python of the tests has no numpy');
      this.skip();
    }
    cpSync(sample, folder, { recursive: true });
    assert.match(readFileSync(join(folder, 'hitch.yaml'), 'utf8'), /numpy-classifier/);
    const found = await tryHere(folder, {
      hitch: '0.1.0',
      clock: systemClock,
      environment: process.env,
      python: async () => python,
      onLine: () => undefined,
      signal: new AbortController().signal,
    });
    assert.deepEqual(found.problems, []);
    assert.deepEqual(found.notes, []);
    assert.equal(found.lossFell, true);
    assert.ok(found.resumedFromStep !== null && found.resumedFromStep > 1);
  });
});
