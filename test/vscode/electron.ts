/**
 * `npm run test:electron`: the same suites in a VS Code that is downloaded, for machines that can do that. Another
 * version: `npm run test:electron -- 1.105.0`. One that is installed: its program in `HITCH_VSCODE`.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTests } from '@vscode/test-electron';
import { DaemonHome } from '../support/daemon-home.ts';
import { buildSuite } from './support/build-suite.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function main(): Promise<void> {
  const cache = join(root, '.cache', 'vscode-tests');
  mkdirSync(cache, { recursive: true });
  // Below the repository, so that mocha is found; VS Code's own folder is short, since it holds sockets.
  const folder = mkdtempSync(join(cache, 'electron-'));
  const user = mkdtempSync(join(tmpdir(), 'hv-'));
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  const results = join(folder, 'results.jsonl');
  const installed = process.env['HITCH_VSCODE'] ?? '';
  try {
    const built = await buildSuite(folder);
    await runTests({
      ...(installed === ''
        ? { version: process.argv[2] ?? 'stable', cachePath: join(root, '.cache', 'vscode-electron') }
        : { vscodeExecutablePath: installed }),
      extensionDevelopmentPath: [join(root, 'extension'), built.jupyter],
      extensionTestsPath: built.tests,
      extensionTestsEnv: { ...home.environment(), HITCH_TEST_RESULTS: results },
      launchArgs: ['--disable-workspace-trust', '--disable-extensions', `--user-data-dir=${user}`, folder],
    });
  } finally {
    // What failed is in there, and only there.
    console.log(existsSync(results) ? readFileSync(results, 'utf8') : 'No test was run.');
    await home.dispose();
    for (const made of [folder, user]) {
      rmSync(made, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
