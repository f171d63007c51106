/** What the provider suite is made of: the subject it runs on, and what its tests ask for. */
import assert from 'node:assert/strict';
import { type Offer, parseMicroUsd } from '@hitch/contract';
import { refOfRank } from '../../backend-proxy/src/ledger/cluster-state.ts';
import { plainTerms } from '../../backend-proxy/src/ledger/terms.ts';
import type { Host, MachineAddress } from '../../backend-proxy/src/access/host.ts';
import type { FarHosts } from '../../backend-proxy/src/machines/far/far-hosts.ts';
import {
  type CreateRequest,
  type Instance,
  type Provider,
  ProviderError,
  type ProviderErrorKind,
  type SshAddress,
} from '../../backend-proxy/src/providers/provider.ts';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';
import { waysIn } from '../../backend-proxy/test/clusters/ways-in.ts';

/** Faults that a network can be made to have; an adapter's subject says which of them its network knows. */
export type NetworkFault =
  | 'sold_out'
  | 'reply_lost_after_create'
  | 'reply_lost_before_create'
  | 'duplicate_reply'
  | 'error_with_id'
  | 'dearer'
  | 'other_machine'
  | 'rate_limited'
  | 'limited_route'
  | 'outage'
  | 'list_fails'
  | 'list_partial'
  | 'destroy_fails'
  | 'destroy_reply_lost'
  | 'destroy_slow'
  | 'unknown_status'
  | 'slow_boot'
  | 'slow_reply'
  | 'sold_by_terms'
  | 'sold_ahead'
  | 'sold_by_bids'
  | 'bid_withdrawn'
  | 'reply_lost_after_lease'
  | 'reply_lost_before_lease'
  | 'list_price_off'
  | 'disk_apart'
  | 'detail_without_label'
  | 'ends_by_steps'
  | 'reply_lost_after_more_time'
  | 'reply_lost_before_more_time'
  | 'sold_together'
  | 'member_lost';

/** One adapter over one fresh network. */
export interface ProviderSubject {
  readonly provider: Provider;
  /** What makes a way in of the places that it says ssh leads to; left out: its machines are processes. */
  readonly far?: FarHosts;
  /** The same network seen by another adapter object, as after a restart of the daemon. */
  restarted(): Provider;
  /** Somebody else rents with the same account, by no means of Hitch's: the id of it. Left out: nobody can. */
  boughtElsewhere?(): Promise<string>;
  /** An id that the network never gave, as it writes them; left out: any text is none. */
  readonly unknownId?: string;
  /** Why nobody comes in where it says that ssh leads: its machines are records. Left out: that way is real. */
  readonly leadsNowhere?: string;
  /** Lets `ms` pass for the network. */
  pass(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface ProviderKind {
  readonly name: string;
  readonly faults: readonly NetworkFault[];
  /** Why it cannot run here; null where it can. */
  readonly cannotRun?: string | null;
  build(faults: readonly NetworkFault[]): Promise<ProviderSubject>;
}

export const signal: AbortSignal = new AbortController().signal;
let lastRef = 0;
export const nextRef = () => `hitch-suite${process.pid.toString()}x${(++lastRef).toString()}`;

/** Who comes in by ssh. */
export const SUITE_KEY = generateOpensshKey('the contract suite');
const SUITE_KEY_NAME = 'hitch-of-the-suite';
const LET_IN = { publicKey: SUITE_KEY.publicKey, proof: '5ec2e7'.repeat(10) };

export type Build = (...faults: NetworkFault[]) => Promise<ProviderSubject>;

/** Hosts whose offers were asked for already, of networks where there is one of each. */
const taken = new WeakMap<Provider, Set<string>>();

/** For sale with two to spare, since some tests rent more than one; else one of a kind, of a host that nothing was asked of yet. */
export async function offersToRent(provider: Provider): Promise<readonly Offer[]> {
  const offers = (await provider.offers(signal)).filter(({ notRentable }) => notRentable === undefined);
  const many = offers.filter(({ stock }) => stock > 2);
  const asked = taken.get(provider);
  return many.length > 0 ? many : offers.filter(({ id, hostId = id }) => asked?.has(hostId) !== true);
}

/** A request for the cheapest offer that is for sale; limit a tenth above its price. */
export async function aRequest(provider: Provider, wanted?: Offer): Promise<CreateRequest> {
  const price = ({ pricePerHourMicroUsd }: Offer) => Number(pricePerHourMicroUsd);
  const offer = wanted ?? (await offersToRent(provider)).toSorted((a, b) => price(a) - price(b))[0];
  assert.ok(offer !== undefined);
  await putKey(provider);
  taken.set(provider, (taken.get(provider) ?? new Set()).add(offer.hostId ?? offer.id));
  return {
    ref: nextRef(),
    offer,
    terms: plainTerms(offer),
    maxPricePerHourMicroUsd: (parseMicroUsd(offer.pricePerHourMicroUsd) * 11n) / 10n,
    members: 1,
    letIn: provider.capabilities.sshKeys === 'none' ? null : LET_IN,
    endAtMs: null,
  };
}

/** Where a machine's key comes from the account, the account has it before anything is bought. */
async function putKey({ accountKeys }: Provider): Promise<void> {
  const there = await accountKeys?.list(signal);
  if (there?.some(({ name }) => name === SUITE_KEY_NAME) === false) {
    await accountKeys?.add(SUITE_KEY_NAME, SUITE_KEY.publicKey, signal);
  }
}

/** By what the network's answers about a request are known. */
export const markFor = (provider: Provider, request: CreateRequest): string =>
  provider.markOf?.(request) ?? request.ref;

/** Once the network has had the time to show it. */
export async function listedLater(
  subject: ProviderSubject,
  mark: string,
  provider = subject.provider,
): Promise<readonly Instance[]> {
  await subject.pass(provider.capabilities.visibilityDelayMs);
  return instancesOf(provider, mark);
}

export async function instancesOf(provider: Provider, mark: string): Promise<readonly Instance[]> {
  return (await provider.list(signal)).filter(
    instance => instance.mark === mark && instance.status !== 'gone',
  );
}

/** Skips a test of a power that the adapter lacks, or of an offer that it has none of, and says so. */
export function skipFor(test: Mocha.Context, provider: Provider, why: string): never {
  console.log(`      skipped: ${provider.id} ${why}`);
  return test.skip();
}

const LOOKS = 60;

/** Until the network says gone: ending a machine is asked for, and may take its time. */
export async function untilGone(subject: ProviderSubject, id: string): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    if ((await subject.provider.get(id, signal)).status === 'gone') {
      return;
    }
    await subject.pass(60_000);
  }
  assert.fail(`${id} is not gone an hour after it was asked to end`);
}

export async function refuses(provider: Provider, kind: ProviderErrorKind): Promise<void> {
  const request = await aRequest(provider);
  await assert.rejects(provider.create(request, signal), isFailure(kind));
  assert.deepEqual(await instancesOf(provider, markFor(provider, request)), []);
}

export async function failureOf(call: Promise<unknown>): Promise<ProviderError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ProviderError, `not a ProviderError: ${String(error)}`);
    return error;
  }
  return assert.fail('the call did not fail');
}

export function isFailure(...kinds: readonly ProviderErrorKind[]): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof ProviderError, `not a ProviderError: ${String(error)}`);
    assert.ok(kinds.includes(error.kind), `${error.kind}: ${error.message}`);
    assert.match(error.message, /\w.*\.$/, 'a failure is a sentence');
    return true;
  };
}

export const unknownId = ({ unknownId: id }: ProviderSubject): string =>
  id ?? `hitch-never${process.pid.toString()}`;

/** Rents a machine, by as many steps as that takes there. */
export async function rents(provider: Provider, request: CreateRequest): Promise<Instance> {
  const bought = await provider.create(request, signal);
  return bought.status === 'ordered' && provider.advance !== undefined
    ? provider.advance(bought, request, signal)
    : bought;
}

/** What was rented, with what its network says of it: some answer a purchase with no more than an id. */
export async function rented(provider: Provider, request: CreateRequest): Promise<Instance> {
  const instance = await rents(provider, request);
  return instance.rates.length > 0 ? instance : provider.get(instance.id, signal);
}

/** Skips what only a machine that is more than a record can show, and says so. */
export function needsWayIn(test: Mocha.Context, { provider, leadsNowhere }: ProviderSubject): void {
  if (leadsNowhere !== undefined) {
    skipFor(test, provider, leadsNowhere);
  }
}

/**
 * The way in to one machine of a purchase, whichever way its network says it.
 * @param secret what its host key is held against, where it proves one
 */
export async function wayIn(
  subject: ProviderSubject,
  instance: Instance,
  rank = 0,
  secret = LET_IN.proof,
): Promise<Host> {
  const { provider, far } = subject;
  const member = instance.members.find(other => other.rank === rank);
  if (member !== undefined && member.ssh !== null) {
    assert.ok(far !== undefined);
    assert.equal(typeof provider.host, 'undefined', 'one way, not two');
    const machine = farMachine(provider, instance, member.ssh, null);
    const ref = refOfRank(machine.ref, rank);
    return far.host({ ...machine, ref, secret: machine.secret === null ? null : secret }, signal);
  }
  return waysIn(provider).host(instance, rank, signal);
}

/** The same way in to where it was reached, without asking the network. */
export async function dialAgain(
  { provider, far }: ProviderSubject,
  instance: Instance,
  address: MachineAddress,
): Promise<Host> {
  if (address.ssh !== null) {
    assert.ok(far !== undefined);
    return far.host(farMachine(provider, instance, address.ssh, address), signal);
  }
  return waysIn(provider).dial(instance.id, 0, address, signal);
}

const farMachine = (
  { capabilities }: Provider,
  { id, mark }: Instance,
  ssh: SshAddress,
  known: MachineAddress | null,
): Parameters<FarHosts['host']>[0] => ({
  clusterId: 'clu_suite',
  // Its own page may not say whose it is.
  ref: mark ?? id,
  ssh,
  known,
  secret: capabilities.bootSecret || ssh.kind === 'websocket' ? LET_IN.proof : null,
  promised: null,
  privateAddress: known?.privateAddress ?? null,
});

export async function checkFacts(host: Host): Promise<void> {
  const facts = await host.facts(signal);
  assert.notEqual(facts.stateFolder, facts.workFolder);
  assert.ok(facts.portBase === null || (facts.portBase >= 1024 && facts.portBase + 150 <= 65_536));
  assert.ok(facts.cpuCores > 0);
  assert.deepEqual(await host.facts(signal), facts, 'facts do not change');
  assert.equal(await host.readLog('agent', 1000, signal), '');
}
