/** One fuzz run: cases from a seed, some at a time, and a verdict on the daemon after each few of them. */
import { type Random, seededRandom } from '@hitch/platform/src/random.ts';
import { ApiCases } from './api-cases.ts';
import { type Case, isWhole } from './case.ts';
import { faultOf } from './judge.ts';
import { firstThatFails, smallest } from './minimise.ts';
import { relayCase } from './relay-cases.ts';
import { send } from './send.ts';
import { socketCase } from './socket-cases.ts';
import type { Target } from './target.ts';

const AT_ONCE = 8;
/** A whole request is answered within this, also on a busy machine. */
const ANSWER_MS = 60_000;
/** Cases that are sent again when the process has failed and nobody knows of which. */
const REMEMBERED = 64;

export interface FuzzFault {
  readonly why: string;
  /** The smallest case that still fails so; null where it did not fail a second time. */
  readonly smallest: Case | null;
}

export interface FuzzReport {
  readonly seed: number;
  readonly cases: number;
  readonly byKind: Readonly<Record<string, number>>;
  /** Cases that need no answer and got none: half a request, or one that breaks its connection. */
  readonly unanswered: number;
  readonly mostMemoryMb: number | null;
  readonly faults: readonly FuzzFault[];
}

type Kind = 'api' | 'relay' | 'socket';

/** The same seed makes the same cases in the same order. */
export function casesOf(seed: number): () => { readonly kind: Kind; readonly made: Case } {
  const random: Random = seededRandom(seed);
  const api = new ApiCases(random);
  return () => {
    const at = random.next();
    const kind = at < 0.5 ? 'api' : at < 0.75 ? 'relay' : 'socket';
    const made = kind === 'api' ? api.next() : kind === 'relay' ? relayCase(random) : socketCase(random);
    return { kind, made };
  };
}

/** @param goesOn asked before each few cases: how many there were. */
export async function fuzzRun(
  target: Target,
  seed: number,
  goesOn: (cases: number) => boolean,
): Promise<FuzzReport> {
  const next = casesOf(seed);
  const byKind: Record<Kind, number> = { api: 0, relay: 0, socket: 0 };
  const faults: FuzzFault[] = [];
  const last: Case[] = [];
  let cases = 0;
  let unanswered = 0;
  let memory = target.memoryMb();
  while (goesOn(cases)) {
    const batch = Array.from({ length: AT_ONCE }, next);
    batch.forEach(({ kind, made }) => {
      byKind[kind] += 1;
      last.push(made);
    });
    last.splice(0, last.length - REMEMBERED);
    const verdicts = await Promise.all(
      batch.map(async ({ made }) => ({ made, ...(await verdictOn(target, made)) })),
    );
    cases += batch.length;
    for (const { made, why, isAnswered } of verdicts) {
      unanswered += isAnswered ? 0 : 1;
      // One of a kind is enough to work on.
      if (why !== null && !faults.some(known => known.smallest?.name === made.name)) {
        // Each look at one that is not answered takes long: it is told as it is.
        const smaller = isAnswered ? await smallest(made, again => answersWrongly(target, again)) : made;
        faults.push({ why, smallest: smaller });
      }
    }
    memory = Math.max(memory ?? 0, target.memoryMb() ?? 0);
    const trouble = target.trouble();
    if (trouble !== null) {
      faults.push({ why: trouble, smallest: await culprit(target, last) });
      break;
    }
  }
  const after = target.trouble() === null ? await target.afterwards() : null;
  const logged = target.logged().map(line => `The daemon’s log has an error: ${line}`);
  const late = [...(after === null ? [] : [after]), ...logged].map(why => ({ why, smallest: null }));
  return { seed, cases, byKind, unanswered, mostMemoryMb: memory, faults: [...faults, ...late] };
}

async function verdictOn(
  { names }: Target,
  sent: Case,
): Promise<{ readonly why: string | null; readonly isAnswered: boolean }> {
  let heard = await send(names, sent);
  if (heard.length === 0 && isWhole(sent, names)) {
    // On a busy machine a short silence says nothing.
    heard = await send(names, sent, undefined, ANSWER_MS);
    if (heard.length === 0) {
      return { why: 'no answer to a whole request', isAnswered: false };
    }
  }
  return { why: faultOf(sent, heard), isAnswered: heard.length > 0 };
}

const answersWrongly = async (target: Target, sent: Case): Promise<boolean> =>
  faultOf(sent, await send(target.names, sent)) !== null;

/** Has a fresh daemon meet the last cases again, and makes the one that troubles it small. */
async function culprit(target: Target, last: readonly Case[]): Promise<Case | null> {
  const troubles = async (sent: Case): Promise<boolean> => {
    if (target.trouble() !== null) {
      await target.restart();
    }
    await send(target.names, sent);
    return target.trouble() !== null;
  };
  await target.restart();
  const found = await firstThatFails(last, troubles);
  return found === null ? null : smallest(found, troubles);
}
