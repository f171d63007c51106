/** What the exit status of `hitch` says. The table of `hitch help exit-codes` is made from this. */
import type { ErrorCode } from '@hitch/contract';

export const EXIT = {
  ok: 0,
  defect: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  nothingBought: 5,
  declined: 6,
  unreachable: 7,
  daemon: 8,
  storage: 9,
  cellFailed: 10,
  clusterFailed: 11,
  timedOut: 12,
  notAll: 13,
  login: 14,
  funds: 15,
  interrupted: 130,
} as const;
declare const ofJob: unique symbol;
/** What a job ended with, which may be any. */
type JobExitCode = number & { readonly [ofJob]: true };
export const jobExitCode = (code: number): JobExitCode => (code & 0xff) as JobExitCode;

type OwnExitCode = (typeof EXIT)[keyof typeof EXIT];
export type ExitCode = OwnExitCode | JobExitCode;

export const exitCodes: readonly (readonly [OwnExitCode, string])[] = [
  [EXIT.ok, 'Done.'],
  [EXIT.defect, 'A defect in Hitch, or something unexpected.'],
  [EXIT.usage, 'The command line, or a value or file on it, is not valid.'],
  [EXIT.notFound, 'No such cluster, kernel, file, secret or offer.'],
  [
    EXIT.conflict,
    'The cluster is in a state that does not allow it, the name is taken, or the quote is old.',
  ],
  [EXIT.nothingBought, 'Nothing was rented: no offer fits, or the price or cap does not allow it.'],
  [EXIT.declined, 'It needed approval and did not get it.'],
  [EXIT.unreachable, 'The cluster or its network does not answer; work there may continue.'],
  [EXIT.daemon, 'The daemon cannot be found, started or reached.'],
  [EXIT.storage, 'The disk is full or a folder cannot be written.'],
  [EXIT.cellFailed, 'A cell of the notebook failed.'],
  [EXIT.clusterFailed, 'The cluster failed, or a check of doctor found a problem.'],
  [EXIT.timedOut, 'It took longer than the time given with --timeout.'],
  [EXIT.notAll, 'Something is missing: not everything could be rented, copied, saved, shown or taken back.'],
  [EXIT.login, 'The network wants a login, or does not accept the one that it was given.'],
  [EXIT.funds, 'The account at the network does not carry it.'],
  [EXIT.interrupted, 'Ctrl-C.'],
];

export const exitCodesHelp = [
  'Exit codes',
  '',
  ...exitCodes.map(([code, meaning]) => `${code.toString().padStart(5)}  ${meaning}`),
  '',
  'hitch job run and hitch job retry end with the job’s own code; 128 and the signal’s number where one ended it.',
  '',
].join('\n');

const OF_ERROR = {
  BAD_INPUT: EXIT.usage,
  UNAUTHORIZED: EXIT.daemon,
  FORBIDDEN_ORIGIN: EXIT.daemon,
  APPROVAL_NEEDED: EXIT.declined,
  NOT_FOUND: EXIT.notFound,
  CONFLICT: EXIT.conflict,
  NAME_TAKEN: EXIT.conflict,
  QUOTE_EXPIRED: EXIT.conflict,
  QUOTE_USED: EXIT.conflict,
  NO_OFFERS: EXIT.nothingBought,
  CAP_TOO_LOW: EXIT.nothingBought,
  LOGIN_NEEDED: EXIT.login,
  FUNDS_TOO_LOW: EXIT.funds,
  TOO_LARGE: EXIT.usage,
  STORAGE_FULL: EXIT.storage,
  UNREACHABLE: EXIT.unreachable,
  PROVIDER_ERROR: EXIT.unreachable,
  VERSION_MISMATCH: EXIT.daemon,
  INTERNAL: EXIT.defect,
} as const satisfies Record<ErrorCode, ExitCode>;

export const exitCodeOf = (code: ErrorCode): ExitCode => OF_ERROR[code];
