// npm run package: what can be published, into dist/.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packageExtension } from './package-extension.ts';
import { packageWheel } from './package-wheel.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

mkdirSync(new URL('../dist', import.meta.url), { recursive: true });
const args = ['pack', '--workspace', 'ray-client-ts', '--pack-destination', 'dist', '--silent'];
const name = execFileSync('npm', args, {
  cwd: root,
  encoding: 'utf8',
  shell: process.platform === 'win32',
}).trim();
console.log(`dist/${name}`);
console.log(await packageExtension());
console.log(packageWheel());
