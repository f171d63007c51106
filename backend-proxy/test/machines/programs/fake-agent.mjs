// Stands for the agent: notes that it started, starts the programs its configuration names, and waits.
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';

const config = JSON.parse(readFileSync(process.argv[process.argv.indexOf('--config') + 1], 'utf8'));
appendFileSync(`${config.folder}/started`, `${process.pid}\n`);
console.log('the agent speaks');
for (const [file, ...args] of config.programs) {
  spawn(file, args, { stdio: 'ignore', detached: true }).unref();
}
setInterval(() => undefined, 60_000);
