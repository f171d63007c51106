// The native module of the operating system's keychain, for every platform that the wheel and the .vsix are for: npm installs only this
// computer's. Fetched as the lock file names them, and compared with it.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { inCache, inRoot, isWindows } from '../setup/common.mjs';

const MODULE = '@napi-rs/keyring';
/** Elsewhere secrets are kept in a file that only its owner can read, and `hitch doctor` says so. */
const PLATFORMS = ['darwin-arm64', 'darwin-x64', 'linux-arm64-gnu', 'linux-x64-gnu', 'win32-x64-msvc'];

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
});
const packedSchema = z.tuple([z.object({ filename: z.string(), integrity: z.string() })]);

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    shell: isWindows,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** @returns the folder of the unpacked package. @throws Error when the registry has something else than the lock. */
function fetchOne(name: string): string {
  const lock = lockSchema.parse(JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8')));
  const { version = '', integrity = '' } = lock.packages[`node_modules/${name}`] ?? {};
  const folder = inCache('keyring', `${path.basename(name)}-${version}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}-${process.pid.toString()}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    const [packed] = packedSchema.parse(
      JSON.parse(npm(['pack', '--json', `${name}@${version}`], unfinished)),
    );
    if (packed.integrity !== integrity) {
      throw new Error(`${name} ${version} of the registry is not the one in package-lock.json.`);
    }
    execFileSync('tar', ['-xzf', packed.filename], { cwd: unfinished });
    renameSync(path.join(unfinished, 'package'), folder);
    return folder;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Lays the module and its binaries out below a folder whose programs import it. */
export function layOutKeyring(programs: string): void {
  const modules = path.join(programs, 'node_modules');
  cpSync(inRoot('node_modules', MODULE), path.join(modules, MODULE), { recursive: true });
  for (const platform of PLATFORMS) {
    const name = `${MODULE}-${platform}`;
    cpSync(fetchOne(name), path.join(modules, name), { recursive: true });
  }
}
