/** A daemon for tests: `node daemon-process.ts <home> <version>`. Says why when it cannot start. */
import { HitchError } from '@hitch/contract';
import { runDaemon } from '../../src/daemon/run.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';

const [, , root = '', version = '0.1.0'] = process.argv;
try {
  await runDaemon({ home: homeAt(root), environment: process.env, version });
} catch (error) {
  console.error(error instanceof HitchError ? `${error.code}: ${error.message} ${error.next ?? ''}` : error);
  process.exitCode = 1;
}
