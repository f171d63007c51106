/** Makes a failing case small: parts are left out for as long as it still fails. */
import type { Case } from './case.ts';

/** A case that cannot be made smaller in so many attempts is small enough to read. */
const ATTEMPTS = 200;

type Fails = (sent: Case) => Promise<boolean>;

export async function firstThatFails(cases: readonly Case[], fails: Fails): Promise<Case | null> {
  for (const sent of cases) {
    if (await fails(sent)) {
      return sent;
    }
  }
  return null;
}

/** @returns null when the case does not fail again as it is. */
export async function smallest(sent: Case, fails: Fails): Promise<Case | null> {
  if (!(await fails(sent))) {
    return null;
  }
  let best = sent;
  let attempts = 0;
  for (let isSmaller = true; isSmaller && attempts < ATTEMPTS;) {
    isSmaller = false;
    for (const tried of smallerThan(best)) {
      attempts += 1;
      if (attempts <= ATTEMPTS && (await fails(tried))) {
        best = tried;
        isSmaller = true;
        break;
      }
    }
  }
  return best;
}

/** Every case with one part less: a header, a piece of the body or of what follows, a field of the body. */
function* smallerThan(sent: Case): Generator<Case> {
  const without = <T>(list: readonly T[], at: number): readonly T[] =>
    list.filter((_, index) => index !== at);
  for (let at = sent.after.length - 1; at >= 0; at--) {
    yield { ...sent, after: without(sent.after, at) };
  }
  for (let at = sent.body.length - 1; at >= 0; at--) {
    yield { ...sent, body: without(sent.body, at) };
  }
  for (let at = sent.head.length - 1; at > 0; at--) {
    yield { ...sent, head: without(sent.head, at) };
  }
  const [body] = sent.body;
  if (sent.body.length === 1 && typeof body === 'string') {
    for (const smaller of smallerJson(body)) {
      yield { ...sent, body: [smaller] };
    }
  }
}

function* smallerJson(text: string): Generator<string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const fields = Object.entries(value);
    for (const [name] of fields) {
      yield JSON.stringify(Object.fromEntries(fields.filter(([other]) => other !== name)));
    }
  }
}
