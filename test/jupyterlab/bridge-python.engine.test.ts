/** The bridge's own tests, in Python: its routes in a real Jupyter server, against a daemon of a few lines. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { needsRealNodes } from '../support/processes.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const bridge = join(root, 'jupyter-plugin', 'bridge');
const tests = join(bridge, 'tests');
const requirements = join(tests, 'requirements.txt');

describe('the bridge, asked from Python', function suite() {
  this.timeout(4 * 60_000);
  let python: string;

  before(function find() {
    needsRealNodes(this);
    python = process.env['HITCH_PYTHON'] ?? 'python3';
  });

  /** pytest in a folder of its own: the environment that nodes are made like has no use for it. */
  async function pytest(): Promise<string> {
    const pins = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
    const folder = join(root, '.cache', 'pytest', pins);
    if (!existsSync(folder)) {
      const unfinished = `${folder}-${process.pid.toString()}`;
      mkdirSync(unfinished, { recursive: true });
      const where = ['--no-deps', '--target', unfinished, '--requirement', requirements];
      await execute(python, ['-m', 'pip', 'install', '--quiet', '--no-input', ...where]);
      renameSync(unfinished, folder);
    }
    return folder;
  }

  it('passes what it should and nothing else, below any base URL, with or without a daemon', async () => {
    const home = await pytest();
    const { stdout } = await execute(python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', tests], {
      env: {
        ...process.env,
        PYTHONPATH: [home, bridge].join(':'),
        PYTHONDONTWRITEBYTECODE: '1',
      },
    }).catch((error: unknown) => {
      throw error instanceof Error && 'stdout' in error ? new Error(String(error.stdout)) : error;
    });
    assert.match(stdout, /\b\d+ passed\b/);
    assert.doesNotMatch(stdout, /failed|error|skipped/);
    console.log(`      ${stdout.trim().split('\n').at(-1) ?? ''}`);
  });
});
