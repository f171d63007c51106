/** The page with every error code, from the contract, and every exit code of the command line. */
import { ERROR_CODES, type ErrorCode, ERRORS } from '@hitch/contract';
import { exitCodeOf, exitCodes } from '../../backend-proxy/src/cli/exit-codes.ts';
import { row, table } from './markdown.ts';

/** What a person does about each, where the error itself says nothing closer. */
const WHAT_TO_DO: Readonly<Record<ErrorCode, string>> = {
  BAD_INPUT: 'Correct what `field` names; the sentence says what may stand there.',
  UNAUTHORIZED: 'Run `hitch doctor`. A client of your own reads the bearer from `daemon.json` anew.',
  FORBIDDEN_ORIGIN:
    'Speak to the daemon at `127.0.0.1`, and from a page through the bridge of its Jupyter server.',
  APPROVAL_NEEDED: 'Approve it in the window that opens, or with `hitch approve`.',
  NOT_FOUND: 'Look for its name: `hitch ls`, `hitch job ls`, `hitch secrets`.',
  CONFLICT: 'Look at its state (`hitch show`); wait until it has changed, or stop it first.',
  NAME_TAKEN: 'Choose another name, or remove the cluster that has it (`hitch rm`).',
  QUOTE_EXPIRED: 'Ask for the price again. A quote holds for ten minutes.',
  QUOTE_USED: 'It has made a cluster already: `hitch ls` shows it.',
  NO_OFFERS: 'Loosen a filter; `hitch offers` says which one leaves out how many.',
  CAP_TOO_LOW: 'Raise the spending limit, or take a cheaper offer or a shorter time.',
  LOGIN_NEEDED: 'Log in: `hitch networks login NETWORK`.',
  FUNDS_TOO_LOW: 'Add money at the network; `hitch networks balance` shows what is there.',
  TOO_LARGE: 'Send it in smaller pieces, or copy it with `hitch cp`.',
  STORAGE_FULL: 'Make room on the disk of the folder that is named. Clusters can be stopped meanwhile.',
  UNREACHABLE: 'Wait, and look with `hitch show`: limits hold on the machine itself meanwhile.',
  PROVIDER_ERROR: 'Try again later, or rent elsewhere. `hitch networks test NETWORK` says how it is.',
  VERSION_MISMATCH: 'Bring the older of the two up to date; `hitch daemon` says which version runs.',
  INTERNAL: 'Try once more, then run `hitch report`.',
};

export function errorsPage(): string {
  return [
    '# Errors and exit codes',
    '',
    'Every failure is one sentence that says what is wrong and where, and as a rule what to do next. Programs get it as JSON:',
    '`code`, `message`, `retryable`, and where they are known `field` and `next`.',
    '',
    '## Error codes',
    '',
    ...table(
      ['Code', 'Means', 'What to do', 'Again?', 'HTTP', 'Exit code'],
      ERROR_CODES.map(code => {
        const { meaning, retryable, status } = ERRORS[code];
        return row([
          `\`${code}\``,
          meaning,
          WHAT_TO_DO[code],
          retryable ? 'may help' : 'no',
          status.toString(),
          exitCodeOf(code).toString(),
        ]);
      }),
    ),
    '',
    '## Exit codes',
    '',
    ...table(
      ['Code', 'Means'],
      exitCodes.map(([code, meaning]) => row([code.toString(), meaning])),
    ),
    '',
    '`hitch job run` and `hitch job retry` end with the job’s own code; 128 and the signal’s number where one ended it.',
    '',
  ].join('\n');
}
