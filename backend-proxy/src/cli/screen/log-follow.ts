/** Following a log of which only the end can be asked for. */

export interface LogStep {
  /** What came since the last look. */
  readonly added: string;
  /** More came between two looks than one answer carries: some of it was not seen. */
  readonly gap: boolean;
}

/**
 * What `next` has that `previous` had not, where both are the end of the same growing text.
 * The longest end of `previous` that `next` contains marks the place.
 */
export function logStep(previous: string, next: string): LogStep {
  if (previous === '' || next === previous) {
    return { added: previous === '' ? next : '', gap: false };
  }
  if (next.startsWith(previous)) {
    return { added: next.slice(previous.length), gap: false };
  }
  // The window moved: the start of `next` lies somewhere inside `previous`.
  const mark = next.slice(0, 200);
  for (let at = previous.indexOf(mark); at !== -1; at = previous.indexOf(mark, at + 1)) {
    const known = previous.slice(at);
    if (next.startsWith(known)) {
      return { added: next.slice(known.length), gap: false };
    }
  }
  return { added: next, gap: true };
}
