/** Which addresses are asked directly, whatever proxy the environment names. */

/** A proxy elsewhere would ask itself. */
const THIS_COMPUTER = ['localhost', '127.0.0.1', '[::1]'];

/** What no proxy is asked for: what the environment names, and this computer. */
export function withoutProxy(environment: NodeJS.ProcessEnv): string {
  const named = (environment['no_proxy'] ?? environment['NO_PROXY'] ?? '').trim();
  // A star stands for everything, and only by itself.
  return named === '*' ? named : [named, ...THIS_COMPUTER].filter(name => name !== '').join(',');
}
