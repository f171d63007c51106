/**
 * Every template that comes with Hitch works for real, as `hitch template test` does it: its lock is installed, the loss falls where
 * it trains (where it predicts or serves it ends with an error unless its answers are right), it is ended in the middle and goes on
 * from its checkpoint, and its outputs are there. All share uv's cache: PyTorch is fetched once.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { skip } from '../support/processes.ts';
import { HITCH } from '../support/web-proxy.ts';

const ROOT = join(import.meta.dirname, '../..');
const SAMPLES = join(ROOT, 'samples/templates');
/** Kept from night to night: PyTorch with CUDA is 3 GB to load and 6 GB on the disk, which all environments share. */
const HOME = join(ROOT, '.cache/training');
const FREE_GIB = 12;

const trialSchema = z.object({
  ok: z.boolean(),
  lossFell: z.boolean().nullable(),
  resumedFromStep: z.number().nullable(),
  problems: z.array(z.string()),
});

const failedSchema = z.looseObject({ stdout: z.string().min(1) });

const textOf = (folder: string, file: string): string => {
  const path = join(folder, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};

async function works(test: Mocha.Context, folder: string): Promise<void> {
  mkdirSync(HOME, { recursive: true });
  const { bavail, bsize } = await statfs(HOME);
  if (/^torch==/m.test(textOf(folder, 'requirements.lock')) && bavail * bsize < FREE_GIB * 2 ** 30) {
    skip(test, `PyTorch and its packages need ${FREE_GIB.toString()} GiB of disk`);
    return;
  }
  // Of a template that does not work the answer is whole too, with what is wrong.
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [HITCH, 'template', 'test', folder, '--json'],
    { env: { ...process.env, HITCH_HOME: HOME }, maxBuffer: 64 * 2 ** 20 },
  ).catch((error: unknown) => failedSchema.parse(error));
  const { ok, lossFell, resumedFromStep, problems } = trialSchema.parse(JSON.parse(stdout));
  assert.deepEqual(problems, []);
  assert.ok(ok);
  const text = textOf(folder, 'hitch.yaml');
  assert.equal(lossFell, /^tags:.*\binference\b/m.test(text) ? null : true);
  assert.equal(resumedFromStep !== null && resumedFromStep > 1, /^checkpoints:/m.test(text));
}

describe('templates that come with Hitch', function () {
  this.timeout(45 * 60_000);

  for (const name of readdirSync(SAMPLES)) {
    const folder = join(SAMPLES, name);
    if (/^test:/m.test(textOf(folder, 'hitch.yaml'))) {
      it(`${name} works, and goes on after it was ended where it has checkpoints`, function () {
        return works(this, folder);
      });
    }
  }

  it('pytorch-ddp works with its weights split over the processes (FSDP2)', async function () {
    const folder = mkdtempSync(join(tmpdir(), 'hitch-fsdp2-'));
    try {
      cpSync(join(SAMPLES, 'pytorch-ddp'), folder, { recursive: true });
      // A step takes several times as long as with the weights whole.
      const split = textOf(folder, 'hitch.yaml')
        .replace('default: ddp', 'default: fsdp2')
        .replace('steps: 2000', 'steps: 400');
      assert.match(split, /default: fsdp2[^]*steps: 400/);
      writeFileSync(join(folder, 'hitch.yaml'), split);
      await works(this, folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
