// Puts the packages of a list into an environment, as the daemon does: node install-packages.ts INTERPRETER LIST FOLDER NAMES
import { installPackages } from '../../backend-proxy/src/machines/packages.ts';
import { runCommand, shippedUv } from '../../backend-proxy/src/machines/python.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';

const [interpreter = '', file = '', folder = '', called = ''] = process.argv.slice(2);
const { code, stdout, stderr } = await installPackages(
  {
    interpreter,
    file,
    folder,
    pins: shippedUv(),
    run: runCommand,
    clock: systemClock,
    called,
    report: console.log,
  },
  new AbortController().signal,
);
if (code !== 0) {
  console.log(stdout, stderr);
  process.exitCode = 1;
}
