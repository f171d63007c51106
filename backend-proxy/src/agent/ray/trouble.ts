/** What `ray start` says of a start that will come to nothing. It may go on for minutes after it has said so. */
import { cutText } from '@hitch/contract';

const LONGEST_REASON = 300;

/** Each with the sentence for it. What stands behind a dash is taken from the log. */
const TROUBLES: readonly (readonly [RegExp, string])[] = [
  [/Failed to start the dashboard/, 'its dashboard did not start'],
  [/Some Ray subprocesses exited unexpectedly/, 'one of its programs ended'],
  [
    /Failed to start (?:the )?(?:GCS|gcs_server)|gcs_server (?:died|has died|exited)/i,
    'its GCS did not start',
  ],
  [/address already in use|Failed to bind to/i, 'another program uses one of its ports'],
];
const REASON =
  /(?:\w*(?:Error|Exception)\b.*:|address already in use|Failed to bind|\[exit code|exit code=|Killed)/i;
/** Ray's own words around a reason, and what it says when it has found none (`start_api_server` in its `services.py`). */
const NOT_A_REASON = new RegExp(
  [
    'Error should be written to',
    'docs\\.ray\\.io',
    'Failed to start the dashboard',
    'contains the error message',
    'another exception occurred',
    "(?:Couldn't|Failed to) read dashboard\\.(?:log|err)",
    "No such file or directory: '.*dashboard\\.(?:log|err)'",
  ].join('|'),
);
/** Better than nothing, where the program that ended has left no line of its own. */
const RETURN_CODE = /return code -?\d+/;

/**
 * A sentence on why this start has failed, or null.
 * @param text what the log says since the start.
 */
export function rayTrouble(text: string): string | null {
  for (const [pattern, sentence] of TROUBLES) {
    const found = pattern.exec(text);
    if (found !== null) {
      const start = text.lastIndexOf('\n', found.index) + 1;
      const lines = text.slice(start).split('\n');
      const line = lines.findLast(each => REASON.test(each) && !NOT_A_REASON.test(each))?.trim();
      const reason = line ?? RETURN_CODE.exec(lines[0] ?? '')?.[0];
      return reason === undefined ? sentence : `${sentence}: ${cutText(reason, LONGEST_REASON)}`;
    }
  }
  return null;
}
