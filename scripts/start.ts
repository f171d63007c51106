// npm start: JupyterLab with Hitch in it and a sample notebook, for a person. Clusters outlive it, and it says so.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { homeFromEnvironment } from '@hitch/platform/src/paths.ts';
import { findDaemon } from '@hitch/client-node/src/find.ts';

const inRoot = (...parts: string[]): string =>
  fileURLToPath(new URL(path.join('..', ...parts), import.meta.url));
const hitch = inRoot('backend-proxy', 'dist', 'hitch.mjs');
/** A copy, so that whoever tries things out changes nothing that git knows. */
const work = inRoot('.cache', 'start');
const sample = 'hello-gpu.ipynb';

function prepareWork(): void {
  mkdirSync(work, { recursive: true });
  if (!existsSync(path.join(work, sample))) cpSync(inRoot('samples'), work, { recursive: true });
}

interface Listed {
  readonly name: string;
  readonly phase: string;
}

/** What still runs when JupyterLab is gone; asks nobody where no daemon runs. */
async function sayWhatRuns(): Promise<void> {
  if ((await findDaemon(homeFromEnvironment())) === null) return;
  const listed = execFileSync(process.execPath, [hitch, 'ls', '--json'], { encoding: 'utf8' });
  const running = (JSON.parse(listed) as Listed[]).filter(
    ({ phase }) => !['stopped', 'expired', 'failed'].includes(phase),
  );
  if (running.length === 0) {
    console.log('JupyterLab has ended. No cluster is running.');
    return;
  }
  console.log(`JupyterLab has ended. Still running, within their stop limits:`);
  for (const { name } of running) console.log(`  ${name}   stop it: node_modules/.bin/hitch stop ${name}`);
}

prepareWork();
console.log(`JupyterLab starts with Hitch in it; Ctrl-C ends it, and clusters keep running. On the command line:
  alias hitch="$PWD/node_modules/.bin/hitch"
  hitch rent --practice         choose, see the price, confirm: its kernels appear in JupyterLab
  hitch ls                      your clusters and what they cost
`);

const lab = spawn(
  process.env['HITCH_PYTHON'] ?? 'python3',
  [
    ...['-m', 'jupyterlab', '--ip=127.0.0.1', `--ServerApp.root_dir=${work}`],
    `--LabApp.default_url=/lab/tree/${sample}`,
    `--LabApp.extra_labextensions_path=${inRoot('jupyter-plugin', 'dist', 'labextensions')}`,
    '--ServerApp.jpserver_extensions={"jupyterlab_hitch": True}',
    // Ctrl-C means it: JupyterLab would ask for a second one, or for a yes.
    '--ServerApp.answer_yes=True',
    ...(process.getuid?.() === 0 ? ['--allow-root'] : []),
    ...(process.stdout.isTTY ? [] : ['--no-browser']),
  ],
  {
    cwd: work,
    stdio: 'inherit',
    env: {
      ...process.env,
      HITCH_PROGRAM: hitch,
      HITCH_NODE_PROGRAM: process.execPath,
      PYTHONPATH: [inRoot('jupyter-plugin', 'bridge'), process.env['PYTHONPATH']]
        .filter(Boolean)
        .join(path.delimiter),
    },
  },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A terminal's Ctrl-C reaches JupyterLab by itself.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) lab.kill(signal);
  });
}
lab.on('exit', code => {
  void sayWhatRuns().finally(() => {
    process.exitCode = code ?? 0;
  });
});
