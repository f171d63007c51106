/** The daemon as another version of Hitch: `node other-version.ts <version>`, from source, in HITCH_HOME. */
import { runDaemon } from '../../backend-proxy/src/daemon/run.ts';
import { homeFromEnvironment } from '@hitch/platform/src/paths.ts';

const [version] = process.argv.slice(2);
if (version === undefined) {
  throw new Error('Which version?');
}
await runDaemon({ home: homeFromEnvironment(), environment: process.env, version });
