/** Everything Jupyter Server reads from disk, written by the agent before each start. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { KERNEL_LAUNCHER_SOURCE } from '../kernels/python-texts.ts';
import { CONFIG_SOURCE, KERNEL_MANAGER_SOURCE } from './python-files.ts';

export interface JupyterPlace {
  readonly folder: string;
  readonly workFolder: string;
  readonly address: { readonly socketPath: string } | { readonly host: string; readonly port: number };
  readonly token: string;
  /** The program that a terminal runs; null: Jupyter's choice. */
  readonly shell: string | null;
  /** A Python module by name, and the settings it asks for; see `kernels/`. */
  readonly modules: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export const configPath = (folder: string): string => join(folder, 'jupyter_server_config.py');

export function writeJupyterFiles(place: JupyterPlace): void {
  for (const folder of ['config', 'runtime', 'python', 'kernel']) {
    mkdirSync(join(place.folder, folder), { recursive: true, mode: 0o700 });
  }
  writeFileAtomic(configPath(place.folder), CONFIG_SOURCE);
  writeFileAtomic(join(place.folder, 'settings.json'), JSON.stringify(settings(place)));
  const modules = { hitch_kernel_manager: KERNEL_MANAGER_SOURCE, ...place.modules };
  for (const [name, source] of Object.entries(modules)) {
    writeFileAtomic(join(place.folder, 'python', `${name}.py`), source);
  }
  // In a folder of its own: its name is that of the module in whose place it runs, in lists of processes too.
  writeFileAtomic(join(place.folder, 'kernel', 'ipykernel_launcher.py'), KERNEL_LAUNCHER_SOURCE);
}

function settings(place: JupyterPlace): Record<string, Record<string, unknown>> {
  const listen =
    'socketPath' in place.address
      ? { sock: place.address.socketPath, sock_mode: '0600' }
      : { ip: place.address.host, port: place.address.port, port_retries: 0 };
  const own: Record<string, Record<string, unknown>> = {
    ServerApp: {
      ...listen,
      root_dir: place.workFolder,
      allow_root: true,
      open_browser: false,
      quit_button: false,
      jpserver_extensions: { jupyter_server_terminals: true },
      terminals_enabled: true,
      ...(place.shell === null ? {} : { terminado_settings: { shell_command: [place.shell] } }),
    },
    IdentityProvider: { token: place.token },
    // A rented machine has no trash that anybody would empty, and its disk is paid for.
    FileContentsManager: { delete_to_trash: false },
    AsyncMappingKernelManager: { kernel_manager_class: 'hitch_kernel_manager.HitchKernelManager' },
  };
  for (const [section, values] of Object.entries(place.settings)) {
    own[section] = { ...own[section], ...values };
  }
  return own;
}

/** The environment that kernels add to the server's at each start. */
export function writeKernelEnvironment(folder: string, environment: Readonly<Record<string, string>>): void {
  writeFileAtomic(join(folder, 'kernel-environment.json'), JSON.stringify(environment));
}

/** A value made once and kept over restarts of the agent. */
export function keptValue(path: string, make: () => string): string {
  if (existsSync(path)) {
    const kept = readFileSync(path, 'utf8').trim();
    if (kept !== '') {
      return kept;
    }
  }
  const made = make();
  writeFileAtomic(path, made);
  return made;
}

/** Why a kernel's last start came to nothing, as the kernel manager noted it; null where it did not. Said once. */
export function takeNotStarted(folder: string, kernelId: string): string | null {
  const path = join(folder, `not-started-${kernelId}`);
  try {
    const reason = readFileSync(path, 'utf8');
    rmSync(path, { force: true });
    return reason;
  } catch {
    return null;
  }
}
