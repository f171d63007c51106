/**
 * Turns the body of a failed answer into one line.
 *
 * Ray answers most failures with `text/plain` holding a whole Python traceback, often several nested in
 * each other, and only the last `XxxError: …` line says what went wrong. Tracebacks also carry paths and
 * environment of the cluster, so nothing else of them may reach a message.
 */

const MAX_LINE_LENGTH = 500;

const PYTHON_ERROR_LINE =
  /^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*(?:Error|Exception|Warning|Interrupt|Exit|Timeout|Failure))(?::\s*(.*))?$/;

/** What one line of a failed answer says, and the Python exception's class when it names one. */
export interface ErrorSummary {
  /** One line, at most 500 characters. Empty when the body holds nothing fit for a person. */
  line: string;
  /** Such as `ValueError`; undefined when the body is a plain sentence. */
  pythonError: string | undefined;
}

/** The last `XxxError: …` line of `text`; without one, its first line; a web page gives nothing. */
export function summarise(text: string): ErrorSummary {
  const lines = text
    .split(/\r?\n|\r/)
    .map(line => line.trim())
    .filter(line => line !== '');
  for (const line of lines.toReversed()) {
    const name = PYTHON_ERROR_LINE.exec(line)?.[1];
    if (name !== undefined) return { line: shorten(line), pythonError: name };
  }
  const first = lines[0];
  if (first === undefined || first.startsWith('<')) return { line: '', pythonError: undefined };
  if (first.startsWith('Traceback')) {
    return { line: 'a Python traceback without a last line', pythonError: undefined };
  }
  return { line: shorten(first), pythonError: undefined };
}

/** Hides every occurrence of the bearer token in text that came from elsewhere. */
export function redact(text: string, token: string | undefined): string {
  return token === undefined || token === '' ? text : text.replaceAll(token, '[token]');
}

function shorten(line: string): string {
  return line.length <= MAX_LINE_LENGTH ? line : `${line.slice(0, MAX_LINE_LENGTH - 1)}…`;
}
