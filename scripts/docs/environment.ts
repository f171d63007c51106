/** The page with every environment variable, and those that are nobody's to set. */
import { row, table } from './markdown.ts';

/** What a daemon reads when it starts. */
export const OF_THE_DAEMON: Readonly<Record<string, string>> = {
  HITCH_HOME: 'The folder with records, secrets, logs and saved work. Default: `~/.hitch`.',
  HITCH_PROVIDERS:
    'The networks that are on, separated by commas, such as `local,sandbox,ssh`. Default: all of them.',
  HITCH_PYTHON:
    'The Python that runs notebooks on this computer and on practice machines. Default: one that Hitch sets up.',
  HITCH_BUSY_CPU_PERCENT:
    'Other processes of a cluster count as work above this share of one core. Default: 5.',
  HITCH_BUSY_KB_PER_SECOND: 'The same for disk and network. Default: 100.',
  HITCH_LOG_LEVEL:
    'How much stands in `logs/daemon.log`: `debug`, `info`, `warn` or `error`. Default: `info`.',
  HITCH_WEBHOOK: 'An address (http or https) that warnings about clusters are posted to, as JSON.',
  HITCH_MACHINE_RECONNECT_MS: 'The longest pause between two tries to reach a machine. Default: 20000.',
  HITCH_MACHINE_ANSWER_MS: 'The longest that a machine may take to answer. Default: 120000.',
  HITCH_MACHINE_HANDSHAKE_MS:
    'How often it is tried whether a rented machine would still let its key in. Default: 900000.',
  HITCH_SSH_CONFIG: 'Another configuration of `ssh` than your own, for machines of your own.',
  HITCH_LOCAL_DOLLARS_PER_HOUR: 'What an hour on this computer is counted as, such as `0.25`. Default: 0.',
};

/** How the practice market behaves, to try things out with. */
export const OF_PRACTICE: Readonly<Record<string, string>> = {
  HITCH_SANDBOX_RUNTIME:
    '`process` (default), or `sshd`: each machine is behind an sshd of its own; `null`: only records.',
  HITCH_SANDBOX_SEED: 'Draws other offers. Default: 1.',
  HITCH_SANDBOX_STOCK: 'So many machines of every offer, always.',
  HITCH_SANDBOX_BOOT_MS: 'How long a machine takes to boot. Default: 500.',
  HITCH_SANDBOX_VISIBILITY_MS: 'How long its list does not show a new machine. Default: 5000.',
  HITCH_SANDBOX_FAULTS:
    'What goes wrong, as JSON; `backend-proxy/src/providers/sandbox/faults.ts` has the rules.',
  HITCH_SANDBOX_ACCOUNT: 'Keys that the market accepts, with their scopes and a balance, as JSON.',
};

/** Where a network is asked, such as a simulator of it (`npm run simulators`). */
export const URL_VARIABLE = /^HITCH_[A-Z]+_URL$/;

/** What programs of a cluster find in their environment. */
export const ON_A_CLUSTER: Readonly<Record<string, string>> = {
  HITCH_WORK_FOLDER: 'The work folder.',
  HITCH_NODE: 'A mark of the machine. Whatever carries it ends with the cluster.',
  HITCH_JOB: 'The id of the job that a program belongs to.',
  HITCH_PARAMS_FILE: 'The values of a template’s parameters, as JSON; each is also `HITCH_PARAM_<NAME>`.',
};

/** For those who work on Hitch itself. */
export const FOR_DEVELOPERS: Readonly<Record<string, string>> = {
  HITCH_CHROMIUM: 'The browser of the tests.',
  HITCH_SEED: 'The seed of tests that draw something.',
  HITCH_VSCODE: 'The VS Code of `npm run test:electron`.',
};

/** One part of Hitch sets them for another; to set them by hand does no good. */
export const INTERNAL: readonly string[] = [
  'HITCH_DOOR_CONFIG',
  'HITCH_DOOR_PORT',
  'HITCH_DOOR_SSHD',
  'HITCH_INDEX',
  'HITCH_JOB_MESSAGE',
  'HITCH_JOB_NODE',
  'HITCH_JOB_VARIABLES',
  'HITCH_JUPYTER_SOURCE',
  'HITCH_NODE_PROGRAM',
  'HITCH_OWN_ZDOTDIR',
  'HITCH_PROGRAM',
  'HITCH_PROOF',
  'HITCH_REF',
  'HITCH_SANDBOX_KEY',
  'HITCH_SESSION',
  'HITCH_TEST_AGAIN',
  'HITCH_TEST_RUN',
  'HITCH_ZDOTDIR',
];

const rows = (of: Readonly<Record<string, string>>): string[] =>
  table(
    ['Variable', 'What it does'],
    Object.entries(of).map(([name, does]) => row([`\`${name}\``, does])),
  );

export function environmentPage(): string {
  return [
    '# Environment variables',
    '',
    'A daemon reads them when it starts: after a change, `hitch daemon stop`, and the next command starts one that has it.',
    'Clusters go on meanwhile. One that makes no sense is named in a sentence, and the daemon does not start.',
    '',
    '## The daemon',
    '',
    ...rows(OF_THE_DAEMON),
    '',
    '`HITCH_<NETWORK>_URL` leads to another API than the network’s own, such as `HITCH_VAST_URL` to a simulator. Proxies are',
    'taken from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`; `NO_COLOR` keeps colours out of the command line’s lines.',
    '',
    '## The practice market',
    '',
    ...rows(OF_PRACTICE),
    '',
    '## On a cluster',
    '',
    ...rows(ON_A_CLUSTER),
    '',
    '## For work on Hitch itself',
    '',
    ...rows(FOR_DEVELOPERS),
    '',
  ].join('\n');
}
