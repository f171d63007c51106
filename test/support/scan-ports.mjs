// Tries every TCP port of one address, or those that are named, and prints those where something answers. Run inside of a
// network namespace.
import { connect } from 'node:net';

const [address = '', ...named] = process.argv.slice(2);
const ports = named.length > 0 ? named.map(Number) : Array.from({ length: 65_535 }, (_, index) => index + 1);
const AT_ONCE = 1_000;
/** On a wire without loss; who drops what comes says nothing. */
const ANSWER_WITHIN_MS = 3_000;

let next = 0;
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
  while (next < ports.length) {
    const port = ports[next++];
    if (await answers(port)) open.push(port);
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, scan));
console.log(open.toSorted((one, other) => one - other).join('\n'));
