/**
 * Whether this computer's clock is right, asked of those who are not this computer: agents on rented machines, and
 * networks that say their time. Nothing ends by a clock that stands alone.
 */
import { isUnfinished } from '../ledger/cluster-state.ts';
import type { Jump, SteadyClock } from '@hitch/platform/src/steady-clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { Parts } from './parts.ts';

/** Clocks that agree are as near as this. */
const AGREES_MS = 30_000;
/** After the computer was off: if nobody at all can be asked for so long, its clock is believed. */
export const BELIEVED_AFTER_MS = 15 * 60_000;

type Asking = Pick<Parts, 'ledger' | 'clock' | 'time' | 'clockOffsets' | 'providers' | 'calls' | 'log'>;

/** Looks at what the others say, and follows the clock where they agree with it. Called every few seconds. */
export async function askSecondSource(parts: Asking): Promise<void> {
  const { time } = parts;
  if (time === null || (time.jump === null && time.isSure)) {
    return;
  }
  if (time.jump !== null && nothingRuns(parts)) {
    // There is nothing that it could end.
    follow(parts, time);
    return;
  }
  const offsets = [...(await networkOffsets(parts)), ...agentOffsets(parts)];
  switch (verdict(time.jump?.byMs ?? null, offsets)) {
    case 'follow':
      follow(parts, time);
      return;
    case 'stay':
      time.confirm();
      return;
    case 'unknown':
      if (time.jump === null && time.monotonic() >= BELIEVED_AFTER_MS) {
        time.confirm();
      }
  }
}

/**
 * What others say of a clock that is `jumpByMs` ahead of the time that is counted on (null: it agrees with it).
 * @param offsets how far each of them is ahead of that time. One that agrees with neither is itself off.
 */
export function verdict(jumpByMs: number | null, offsets: readonly number[]): 'follow' | 'stay' | 'unknown' {
  const near =
    (byMs: number) =>
    (offset: number): boolean =>
      Math.abs(offset - byMs) <= AGREES_MS;
  const forUs = offsets.filter(near(0));
  if (jumpByMs !== null) {
    const forClock = offsets.filter(near(jumpByMs));
    // After a small jump the same clocks agree with both: it is a correction, and nothing ends wrongly by it.
    const isCorrection = forClock.length > 0 && forUs.every(near(jumpByMs));
    if (isCorrection || forClock.length > forUs.length) {
      return 'follow';
    }
  }
  return forUs.length > 0 ? 'stay' : 'unknown';
}

/** Whether the time that is counted on may end something. */
export const mayEndByTime = ({ time }: Pick<Parts, 'time'>): boolean => time === null || time.isSure;

/** Has every cluster that runs say that the clock jumped. */
export async function sayJump(
  { ledger, log }: Pick<Parts, 'ledger' | 'log'>,
  jump: Jump | null,
): Promise<void> {
  const message = jump === null ? 'This computer’s clock is right again.' : jumpWords(jump);
  log.warn(message);
  for (const { cluster } of [...ledger.states()]) {
    if (cluster.desired === 'up') {
      await ledger
        .change(cluster.id, tx => tx.say({ kind: 'warning', value: 'clock_jumped', message }))
        .catch((error: unknown) =>
          log.warn('A jump of the clock is not on record', { error: errorText(error) }),
        );
    }
  }
}

export function jumpWords({ byMs }: Jump): string {
  const where = byMs > 0 ? 'ahead' : 'back';
  return `This computer’s clock was set ${spanWords(Math.abs(byMs))} ${where}. No cluster stops because of it, and costs count as before, until another clock confirms the new time.`;
}

/** What a person has to know while {@link mayEndByTime} says no. A clock that jumped as well is never just believed. */
export function doubtWords(jump: Jump | null): string {
  const until =
    jump === null
      ? `until one does, or for ${spanWords(BELIEVED_AFTER_MS)} if no other clock can be asked`
      : 'until one does';
  return `By this computer’s clock Hitch did not run for over an hour, and no other clock has confirmed that since. This computer stops no cluster by its limits ${until}; the agents on the machines keep the limits meanwhile.`;
}

function spanWords(ms: number): string {
  const [count, unit] =
    ms < 120_000
      ? [ms / 1_000, 'seconds']
      : ms < 7_200_000
        ? [ms / 60_000, 'minutes']
        : ms < 172_800_000
          ? [ms / 3_600_000, 'hours']
          : [ms / 86_400_000, 'days'];
  return `${Math.round(count).toString()} ${unit}`;
}

function follow({ log, clockOffsets }: Asking, time: SteadyClock): void {
  log.warn('The new time of this computer’s clock is followed.', { durationMs: time.jump?.byMs ?? 0 });
  clockOffsets.clear();
  time.trust();
}

function nothingRuns({ ledger }: Asking): boolean {
  return [...ledger.states()].every(
    ({ cluster, attempts }) => cluster.desired === 'stopped' && !attempts.some(isUnfinished),
  );
}

/** A machine on this computer has this computer's clock. */
function agentOffsets({ ledger, providers, clockOffsets }: Asking): number[] {
  return [...clockOffsets].flatMap(([nodeId, offset]) => {
    const attempt = ledger.stateOfNode(nodeId)?.attempts.findLast(other => other.nodeId === nodeId);
    const isElsewhere = attempt !== undefined && providers.get(attempt.provider)?.kind === 'network';
    return isElsewhere ? [offset] : [];
  });
}

async function networkOffsets({ providers, calls, clock }: Asking): Promise<number[]> {
  const asked = [...providers.values()].map(async provider => {
    const ask = provider.time?.bind(provider);
    if (ask === undefined) {
      return [];
    }
    const saidMs = await calls.provider(provider, 'time', signal => ask(signal)).catch(() => null);
    return saidMs === null ? [] : [saidMs - clock.now()];
  });
  return (await Promise.all(asked)).flat();
}
