/** How the bundled daemon is started: by the Node that runs this extension, so that nothing has to be installed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type BusyLimits, DEFAULT_BUSY } from '@hitch/contract';
import type { DaemonProgram } from '@hitch/client-node/src/connect.ts';

/** The bundled program beside the extension. */
export function bundledProgram(
  extensionFolder: string,
  settings: { readonly python: string; readonly busy?: BusyLimits },
): DaemonProgram {
  return {
    command: process.execPath,
    args: [join(extensionFolder, 'dist', 'hitch', 'hitch.mjs'), 'daemon', '--foreground'],
    environment: {
      // VS Code's own program is Node when it is told so; plain Node does not mind.
      ELECTRON_RUN_AS_NODE: '1',
      // An editor's own settings for its processes are none for ours.
      NODE_OPTIONS: '',
      VSCODE_INSPECTOR_OPTIONS: '',
      ...(settings.python === '' ? {} : { HITCH_PYTHON: settings.python }),
      ...busyVariables(settings.busy ?? DEFAULT_BUSY),
    },
  };
}

/** What a person left as it is stays with the environment that VS Code was started in. */
function busyVariables({ cpuPercent, kilobytesPerSecond }: BusyLimits): Record<string, string> {
  return {
    ...(cpuPercent === DEFAULT_BUSY.cpuPercent ? {} : { HITCH_BUSY_CPU_PERCENT: String(cpuPercent) }),
    ...(kilobytesPerSecond === DEFAULT_BUSY.kilobytesPerSecond
      ? {}
      : { HITCH_BUSY_KB_PER_SECOND: String(kilobytesPerSecond) }),
  };
}

export function isComplete(program: DaemonProgram): boolean {
  return program.args[0] !== undefined && existsSync(program.args[0]);
}
