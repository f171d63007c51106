/**
 * Looks at a machine that was rented before it is set up: first at what it says of itself, which costs some kilobytes, then at how
 * fast its network is. What is wrong with it is said in the words that it goes back with.
 */
import type { Host, HostFacts } from '../access/host.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { ClusterState } from '../ledger/cluster-state.ts';
import type { AttemptRecord } from '../ledger/records.ts';
import type { Provider } from '../providers/provider.ts';
import { driverNeeds } from '../spend/drivers.ts';
import { isFarOff, isToBeMeasured, worseThanBought } from './as-offered.ts';
import { type Parts, providerOf } from './parts.ts';

export interface Checked {
  readonly facts: HostFacts;
  /** The end of a sentence each; none where it is what was bought. */
  readonly wrong: readonly string[];
}

type Needed = Pick<Parts, 'calls' | 'clock' | 'locks' | 'providers' | 'log'>;

/** @throws HostError where the machine is not reached. */
export async function checkMachine(
  parts: Needed,
  { cluster }: Pick<ClusterState, 'cluster'>,
  attempt: AttemptRecord,
  host: Host,
  say: (sentence: string) => void,
): Promise<Checked> {
  const { offer, terms } = attempt;
  const facts = await parts.calls.limited('facts', signal => host.facts(signal));
  if (!isHeldToOffer(attempt, facts)) {
    return { facts, wrong: [] };
  }
  const needs = driverNeeds(cluster.environment.id === null ? null : parts.locks.get(cluster.environment.id));
  const wrongOf = async (facts: HostFacts): Promise<readonly string[]> => {
    const { has } = await byNetworksClock(parts, providerOf(parts, attempt.provider), facts);
    return has === undefined ? [] : worseThanBought(offer, terms, has, needs);
  };
  const wrong = await wrongOf(facts);
  if (wrong.length > 0 || !isToBeMeasured(offer, facts.has?.network ?? null)) {
    return { facts, wrong };
  }
  const measured = await withNetwork(parts, attempt, host, facts, say);
  return { facts: measured, wrong: await wrongOf(measured) };
}

/**
 * Nothing of one's own is, which is used as it is, with warnings, nor what was adopted, of which nothing was promised. A practice
 * machine behind a real sshd is a part of this computer, and has none of what its offer makes up.
 */
const isHeldToOffer = ({ offer, adopted }: AttemptRecord, facts: HostFacts): boolean =>
  facts.has !== undefined &&
  offer.trust !== 'own' &&
  adopted === null &&
  !(offer.practice && !facts.practice);

/** What cannot be measured is no reason to give a machine back: it is set up, or shows in setting up what is wrong there. */
async function withNetwork(
  { calls, log }: Pick<Parts, 'calls' | 'log'>,
  { offer, ref }: AttemptRecord,
  host: Host,
  facts: HostFacts,
  say: (sentence: string) => void,
): Promise<HostFacts> {
  const measure = host.measureNetwork?.bind(host);
  if (measure === undefined) {
    return facts;
  }
  const isPriced = offer.traffic !== undefined;
  let found = facts;
  try {
    say('Measuring its network.');
    while (isToBeMeasured(offer, found.has?.network ?? null)) {
      found = await calls.limited('network', signal => measure({ isPriced }, signal));
    }
  } catch (error) {
    log.info('The network of a rented machine could not be measured.', { ref, error: errorText(error) });
  }
  return found;
}

/**
 * A clock that differs from this computer's: which of the two is wrong, the network's time says, for else a computer whose own
 * clock is wrong would give back one machine after the other. Where the network does not answer, no clock counts.
 */
async function byNetworksClock(
  { calls, clock }: Pick<Parts, 'calls' | 'clock'>,
  provider: Provider,
  facts: HostFacts,
): Promise<HostFacts> {
  const { has } = facts;
  const time = provider.time?.bind(provider);
  if (has === undefined || time === undefined || !isFarOff(has)) {
    return facts;
  }
  const clockAheadS = await calls
    .provider(provider, 'time', signal => time(signal))
    .then(
      networkMs => has.clockAheadS - (networkMs - clock.now()) / 1_000,
      () => 0,
    );
  return { ...facts, has: { ...has, clockAheadS } };
}
