/** Runs inside the extension host: mocha over the suites, each result as a line of JSON into a file. */
import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';
import { files } from './files.ts';
import { kernels } from './kernels.ts';
import { basics } from './basics.ts';
import { pages } from './pages.ts';
import { templates } from './templates.ts';
import { terminals } from './terminals.ts';
import { views } from './views.ts';
import { asking } from './asking.ts';
import { ending } from './ending.ts';
import { workspace } from './workspace.ts';

const TEST_TIMEOUT_MS = 180_000;

export async function run(): Promise<void> {
  const file = process.env['HITCH_TEST_RESULTS'] ?? '';
  const note = (line: object): void => {
    if (file !== '') {
      appendFileSync(file, `${JSON.stringify(line)}\n`);
    }
  };
  const grep = process.env['HITCH_TEST_GREP'] ?? '';
  const mocha = new Mocha({
    ui: 'bdd',
    timeout: TEST_TIMEOUT_MS,
    color: false,
    ...(grep === '' ? {} : { grep: new RegExp(grep) }),
  });
  // `describe` and `it` are there once a file is about to be loaded; the suites are in this bundle.
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  for (const define of [
    basics,
    views,
    templates,
    files,
    pages,
    terminals,
    kernels,
    workspace,
    asking,
    ending,
  ]) {
    define();
  }
  const failures = await new Promise<number>(resolve => {
    mocha
      .run(resolve)
      .on('pass', test => note({ title: test.fullTitle(), state: 'passed', durationMs: test.duration ?? 0 }))
      .on('pending', test => note({ title: test.fullTitle(), state: 'skipped', durationMs: 0 }))
      .on('fail', (test, error: unknown) =>
        note({
          title: test.fullTitle(),
          state: 'failed',
          durationMs: test.duration ?? 0,
          message: error instanceof Error ? (error.stack ?? error.message) : String(error),
        }),
      );
  });
  note({ title: '', state: 'ended', durationMs: 0 });
  if (failures > 0) {
    throw new Error(`${failures.toString()} tests failed`);
  }
}
