/** What making an environment of a lock costs beside the bare `uv pip sync` of the same lock, both from a full cache. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { lockFile } from '../../../backend-proxy/src/machines/environments/locker.ts';
import { LocalEnvironments } from '../../../backend-proxy/src/machines/environments/local-environments.ts';
import { runCommand } from '../../../backend-proxy/src/machines/python.ts';
import { thisPlatform } from '../../../backend-proxy/src/clusters/environment-locks.ts';
import { type Benchmark, figure, median, pairs, timed } from '../figure.ts';

const PACKAGES = 'pandas\npyarrow\nscikit-learn\nmatplotlib\nray[default]\njupyterlab\n';
const PAIRS = 5;

export const environmentBuild: Benchmark = {
  names: ['env_build_ratio'],
  async run(report) {
    const root = mkdtempSync(join(tmpdir(), 'hitch-bench-env-'));
    const { signal } = new AbortController();
    const environments = new LocalEnvironments({
      folder: join(root, 'envs'),
      tools: join(root, 'tools'),
      machines: join(root, 'machines'),
      clock: systemClock,
    });
    try {
      const { uv, interpreter } = await environments.tools(signal);
      const file = { name: 'requirements.txt', text: PACKAGES };
      const on = { add: [], python: null, engine: 'single', platform: thisPlatform() } as const;
      report('locking');
      const locked = await lockFile({ file, ...on }, { uv, interpreter, run: runCommand }, signal);
      if (!('lock' in locked)) {
        throw new Error(locked.problems.map(({ message }) => message).join(' '));
      }
      const { lock } = locked;
      const list = join(root, 'requirements.lock');
      writeFileSync(list, lock.text);
      const bare = join(root, 'bare');
      const run = async (args: readonly string[]): Promise<void> => {
        const settings = { ...uv.environment, UV_PYTHON_DOWNLOADS: 'never' };
        const { code, stderr } = await runCommand(uv.program, args, signal, settings);
        if (code !== 0) {
          throw new Error(stderr);
        }
      };
      const ours = (): Promise<unknown> => environments.ensure(lock, 'bench', () => undefined, signal);
      const theirs = async (): Promise<void> => {
        await run(['venv', '--no-project', '--python', base, bare]);
        await run(['pip', 'sync', '--require-hashes', '--python', join(bare, 'bin', 'python'), list]);
      };
      report(`filling uv's cache with ${lock.packages.length.toString()} packages`);
      const made = await environments.ensure(lock, 'bench', () => undefined, signal);
      const { stdout } = await runCommand(made, ['-c', 'import sys; print(sys._base_executable)'], signal);
      const base = stdout.trim();
      const forget = (): void => {
        rmSync(join(root, 'envs'), { recursive: true, force: true });
        rmSync(bare, { recursive: true, force: true });
      };
      const spans = await pairs(
        PAIRS,
        () => (forget(), timed(ours)),
        () => (forget(), timed(theirs)),
      );
      return [
        figure({
          name: 'env_build_ratio',
          value: median(spans.ours) / 1000,
          unit: 's',
          baseline: median(spans.theirs) / 1000,
          target: { atMost: 1.1 },
          of: 'ratio',
          note: `${lock.packages.length.toString()} packages from uv's cache, median of ${PAIRS.toString()}; baseline: uv venv, uv pip sync`,
        }),
      ];
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
};
