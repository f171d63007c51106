/** Where the programs beside this one lie: in `dist` when bundled, built from source otherwise. */
import { fileURLToPath } from 'node:url';

const fromSource = import.meta.url.endsWith('.ts');

/** The bundle that runs as the agent on every node. */
export function agentBundlePath(): string {
  return fileURLToPath(new URL(fromSource ? '../../dist/agent.mjs' : './agent.mjs', import.meta.url));
}

/** The command-line program, which starts the daemon as `hitch daemon --foreground`. */
export function hitchProgramPath(): string {
  return fileURLToPath(new URL(fromSource ? '../cli/main.ts' : './hitch.mjs', import.meta.url));
}
