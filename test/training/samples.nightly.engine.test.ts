/**
 * Every template that comes with Hitch trains for real, as `hitch template test` does it: its lock is installed, the loss falls, it
 * is ended in the middle and goes on from its checkpoint, and its outputs are there.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { skip } from '../support/processes.ts';
import { HITCH } from '../support/web-proxy.ts';

const ROOT = join(import.meta.dirname, '../..');
const SAMPLES = join(ROOT, 'samples/templates');
/** Kept from night to night: PyTorch with CUDA is 3 GB to load and 6 GB on the disk. */
const HOME = join(ROOT, '.cache/training');
const FREE_GIB = 12;

const trialSchema = z.object({
  ok: z.boolean(),
  lossFell: z.boolean().nullable(),
  resumedFromStep: z.number().nullable(),
  problems: z.array(z.string()),
});

const failedSchema = z.looseObject({ stdout: z.string().min(1) });

const textOf = (name: string, file: string): string => {
  const path = join(SAMPLES, name, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};

describe('templates that come with Hitch', function () {
  this.timeout(45 * 60_000);

  for (const name of readdirSync(SAMPLES).filter(each => /^test:/m.test(textOf(each, 'hitch.yaml')))) {
    it(`${name} trains, and goes on after it was ended`, async function () {
      mkdirSync(HOME, { recursive: true });
      const { bavail, bsize } = await statfs(HOME);
      if (/^torch==/m.test(textOf(name, 'requirements.lock')) && bavail * bsize < FREE_GIB * 2 ** 30) {
        skip(this, `PyTorch and its packages need ${FREE_GIB.toString()} GiB of disk`);
        return;
      }
      // Of a template that does not work the answer is whole too, with what is wrong.
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [HITCH, 'template', 'test', join(SAMPLES, name), '--json'],
        { env: { ...process.env, HITCH_HOME: HOME }, maxBuffer: 64 * 2 ** 20 },
      ).catch((error: unknown) => failedSchema.parse(error));
      const { ok, lossFell, resumedFromStep, problems } = trialSchema.parse(JSON.parse(stdout));
      assert.deepEqual(problems, []);
      assert.ok(ok && lossFell === true);
      assert.ok(resumedFromStep !== null && resumedFromStep > 1);
    });
  }
});
