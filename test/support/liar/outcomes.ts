/** What comes of asking a machine that lies: what a client may be given of it, and what is a defect. */
import assert from 'node:assert/strict';
import { HitchError } from '@hitch/contract';
import type { Lie } from './lie.ts';

/** The file that the test asks for. */
export const ASKED = 'asked.txt';

/** Bytes of an answer that a client of this test takes; a relayed one may be long. */
const TAKEN_BYTES = 1024 * 1024;

export type Ask = () => Promise<unknown>;

/** The beginning of an answer; the rest is not waited for. */
export async function someOf(answer: Response): Promise<unknown> {
  let bytes = 0;
  const reader = answer.body?.getReader();
  for (;;) {
    const next = await reader?.read();
    bytes += next?.value?.length ?? 0;
    if (next === undefined || next.done || bytes > TAKEN_BYTES) {
      await reader?.cancel();
      return { bytes };
    }
  }
}

export type Outcome = { readonly value: unknown } | { readonly error: unknown };

export async function outcomeOf(ask: Ask): Promise<Outcome> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { error };
  }
}

/** The field by which an answer says what it is about. */
function pathsIn(value: unknown): readonly unknown[] {
  return (Array.isArray(value) ? value : [value]).flatMap((each: unknown) =>
    typeof each === 'object' && each !== null && 'path' in each && 'sizeBytes' in each ? [each.path] : [],
  );
}

/** The connection of a passed-on answer breaks with it: what fetch says of that. Every other TypeError is a defect. */
const isBroken = (error: unknown): boolean =>
  error instanceof TypeError && (error.message === 'terminated' || error.message === 'fetch failed');

export function checkOutcome({ name }: Lie, outcome: Outcome): void {
  if ('value' in outcome) {
    assert.deepEqual(
      pathsIn(outcome.value).filter(path => path !== ASKED),
      [],
      `${name} is believed`,
    );
    assert.ok(JSON.stringify(outcome.value).length < 2 * TAKEN_BYTES, `${name} is passed on at its length`);
    return;
  }
  const { error } = outcome;
  if (isBroken(error)) {
    return;
  }
  assert.ok(error instanceof HitchError, `${name} is a defect: ${String(error)}`);
  assert.ok(error.code !== 'INTERNAL', `${name} is a defect: ${error.message}`);
  assert.ok(error.message.length < 2_000, `${name} is said at its length`);
}

/** What is the client's to read: whatever JSON a machine sent, or its failure, in either case not ours. */
export function isPassedOn({ name }: Lie, outcome: Outcome): void {
  const error = 'error' in outcome ? outcome.error : null;
  assert.ok(
    error === null || isBroken(error) || error instanceof HitchError,
    `${name} is a defect: ${String(error)}`,
  );
}
