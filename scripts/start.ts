// npm start: the daemon in the foreground, with the next steps for a person.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const hitch = fileURLToPath(new URL('../backend-proxy/dist/hitch.mjs', import.meta.url));

console.log(`Hitch's daemon runs here until Ctrl-C; clusters go on without it. In another terminal:
  alias hitch="$PWD/node_modules/.bin/hitch"
  hitch offers                  what there is to rent (practice offers need no account)
  hitch rent                    choose, see the price, confirm
  hitch ls                      your clusters and what they cost
`);

const daemon = spawn(process.execPath, [hitch, 'daemon', '--foreground'], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A terminal's Ctrl-C reaches the daemon by itself.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) daemon.kill(signal);
  });
}
daemon.on('exit', code => {
  process.exitCode = code ?? 0;
});
