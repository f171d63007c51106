// Tries every TCP port of one address and prints those where something answers. Run inside of a network namespace.
import { connect } from 'node:net';

const [address = ''] = process.argv.slice(2);
const LAST_PORT = 65_535;
const AT_ONCE = 1_000;
/** On a wire without loss; who drops what comes says nothing. */
const ANSWER_WITHIN_MS = 3_000;

let next = 1;
const open = [];

/** @returns {Promise<boolean>} */
const answers = port =>
  new Promise(resolve => {
    const socket = connect({ host: address, port, timeout: ANSWER_WITHIN_MS });
    const end = isOpen => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', error => {
      // Whoever cannot ask has not been refused.
      if (!['ECONNREFUSED', 'ETIMEDOUT', 'ECONNRESET', 'EHOSTUNREACH'].includes(error.code)) throw error;
      end(false);
    });
  });

async function scan() {
  while (next <= LAST_PORT) {
    const port = next++;
    if (await answers(port)) open.push(port);
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, scan));
console.log(open.toSorted((one, other) => one - other).join('\n'));
