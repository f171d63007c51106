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
/** Ray's own words around a reason. */
const NOT_A_REASON =
  /Error should be written to|docs\.ray\.io|Failed to start the dashboard|contains the error message/;

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
      const reason = lines.findLast(line => REASON.test(line) && !NOT_A_REASON.test(line))?.trim();
      return reason === undefined ? sentence : `${sentence}: ${cutText(reason, LONGEST_REASON)}`;
    }
  }
  return null;
}
