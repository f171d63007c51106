/**
 * Keys that networks keep by account (`Provider.accountKeys`). One is put there for each cluster, named by the mark of the
 * purchase that needs it first, which is written down before; it is taken out when nothing of its cluster is left. A key of
 * that account whose name is no mark of a purchase of ours is somebody else's, and is never touched.
 */
import type { AttemptId, ClusterId, ProviderId } from '@hitch/contract';
import { type ClusterState, isUnfinished } from '../ledger/cluster-state.ts';
import type { AttemptRecord } from '../ledger/records.ts';
import {
  type AccountKey,
  type AccountKeys,
  lacksLogin,
  type Provider,
  ProviderError,
} from '../providers/provider.ts';
import { CONFIRM_EVERY_MS, KEYS_LOOK_MS, OBSERVATIONS_NEEDED } from './limits.ts';
import type { Parts } from './parts.ts';
import type { Reconciler } from './runner.ts';
import { needsKey } from './ssh.ts';

/** Keys for ssh that Hitch put on accounts, where a network keeps keys by account. */
export interface AccountKeysOf {
  /** Takes out all that are ours while nothing is rented there. @throws what kept one of them there */
  takeOut(provider: Provider): Promise<void>;
  /** Names of those that are left although nothing needs them, as far as is known. */
  leftOn(network: ProviderId): readonly string[];
}

/** What is done to the keys of one account is done one after the other. */
export class AccountKeyTurns {
  readonly #last = new Map<ProviderId, Promise<unknown>>();

  take<T>(id: ProviderId, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id) ?? Promise.resolve();
    const now = before.then(work, work);
    this.#last.set(id, now);
    return now;
  }
}

type KeyName = NonNullable<AttemptRecord['accountKey']>;

/** What stands in a purchase's intent: the key of its cluster that is there, or one named by its own mark. */
export function accountKeyFor(
  { accountKeys, id }: Pick<Provider, 'accountKeys' | 'id'>,
  attempts: readonly AttemptRecord[],
  { mark, publicKey }: { readonly mark: string; readonly publicKey: string | null },
): KeyName | null {
  return accountKeys === undefined || publicKey === null
    ? null
    : (keyThere(attempts, id, publicKey) ?? { name: mark, id: null, publicKey });
}

/** A cluster that was stopped and started again has another key than it had. */
const keyThere = (
  attempts: readonly AttemptRecord[],
  network: ProviderId,
  publicKey: string,
): KeyName | null =>
  attempts.find(
    ({ provider, accountKey }) =>
      provider === network &&
      accountKey !== null &&
      accountKey.id !== null &&
      accountKey.publicKey === publicKey,
  )?.accountKey ?? null;

export interface KeyForPurchase {
  readonly clusterId: ClusterId;
  readonly attemptId: AttemptId;
  readonly publicKey: string;
}

/**
 * Makes sure that the account has the key before the machine is bought. Its intent names the key.
 * @throws ProviderError of a kind that says that nothing was bought
 */
export async function putAccountKey(parts: Parts, provider: Provider, want: KeyForPurchase): Promise<void> {
  const { accountKeys } = provider;
  if (accountKeys === undefined) {
    return;
  }
  try {
    await parts.accountKeyTurns.take(provider.id, () => putInTurn(parts, provider, accountKeys, want));
  } catch (error) {
    if (error instanceof ProviderError) {
      const kind = error.kind === 'unknownOutcome' ? 'retryable' : error.kind;
      throw new ProviderError(kind, error.message, { lacks: error.lacks, cause: error });
    }
    throw error;
  }
}

async function putInTurn(
  parts: Parts,
  provider: Provider,
  accountKeys: AccountKeys,
  { clusterId, attemptId, publicKey }: KeyForPurchase,
): Promise<void> {
  const mine = parts.ledger.attempt(attemptId)?.accountKey ?? null;
  if (mine === null || mine.id !== null) {
    return;
  }
  const attempts = parts.ledger.state(clusterId)?.attempts ?? [];
  const { name, id } =
    keyThere(attempts, provider.id, publicKey) ??
    // It may be on the account already: a daemon died over it, or an answer was lost.
    (await listKeys(parts, provider, accountKeys)).find(
      other => other.name === mine.name || isSameKey(other, publicKey),
    ) ??
    (await parts.calls.provider(provider, 'addKey', signal => accountKeys.add(mine.name, publicKey, signal)));
  await parts.ledger.change(clusterId, tx =>
    tx.setAttempt(attemptId, { accountKey: { name, id, publicKey } }),
  );
}

const listKeys = (
  parts: Pick<Parts, 'calls'>,
  provider: Provider,
  accountKeys: AccountKeys,
): Promise<readonly AccountKey[]> =>
  parts.calls.provider(provider, 'keys', (signal, nextPage) => accountKeys.list(signal, nextPage));

/** Without their comments. */
const isSameKey = ({ publicKey }: AccountKey, other: string): boolean =>
  publicKey !== null && bare(publicKey) === bare(other);

const bare = (key: string): string => key.trim().split(/\s+/).slice(0, 2).join(' ');

/** What {@link createAccountKeys} is called, by whoever wakes it. */
export const ACCOUNT_KEYS = 'account-keys';

/** Takes keys out that nothing needs any more. */
export function createAccountKeys(parts: Parts): Reconciler {
  /** How often each key of a purchase that only its ref is left of was seen, by network and id. */
  const seen = new Map<string, number>();
  const keepers = [...parts.providers.values()].filter(({ accountKeys }) => accountKeys !== undefined);
  const ids = new Set(keepers.map(({ id }) => id));
  return {
    name: ACCOUNT_KEYS,
    atStart: keepers.filter(provider => !lacksLogin(provider, parts.logins, 'rent')).map(({ id }) => id),
    targets: state =>
      needsKey(state)
        ? []
        : [
            ...new Set(
              state.attempts.flatMap(({ provider, accountKey }) =>
                accountKey !== null && ids.has(provider) ? [provider] : [],
              ),
            ),
          ],
    reconcile: async id => {
      const provider = parts.providers.get(id);
      const accountKeys = provider?.accountKeys;
      if (provider === undefined || accountKeys === undefined || lacksLogin(provider, parts.logins, 'rent')) {
        return {};
      }
      const isRest = await parts.accountKeyTurns.take(id, () => tidy(parts, provider, accountKeys, seen));
      return { requeueAfterMs: isRest ? CONFIRM_EVERY_MS : KEYS_LOOK_MS, backoff: isRest };
    },
  };
}

/** @returns whether something is to be looked at again soon. */
async function tidy(
  parts: Parts,
  provider: Provider,
  accountKeys: AccountKeys,
  seen: Map<string, number>,
): Promise<boolean> {
  const listed = await listKeys(parts, provider, accountKeys);
  let isRest = false;
  for (const { id, name } of listed) {
    const use = useOf(parts, provider.id, name);
    const seenAs = `${provider.id} ${id}`;
    const times = use === 'forgotten' ? (seen.get(seenAs) ?? 0) + 1 : 0;
    if (times > 0) {
      seen.set(seenAs, times);
    } else {
      seen.delete(seenAs);
    }
    if (use === 'over' || times >= OBSERVATIONS_NEEDED) {
      await parts.calls.provider(provider, 'removeKey', signal => accountKeys.remove(id, signal));
    }
    isRest ||= use === 'over' || use === 'forgotten';
  }
  await noteRemoved(parts, provider.id, new Set(listed.map(({ name }) => name)));
  return isRest;
}

/**
 * Takes out all of ours before a login is forgotten, which it takes: nothing is rented there any more. What is left is written down
 * still, and {@link keysLeftOn} names it. @throws what kept the first of them there
 */
export async function takeOutKeys(parts: Parts, provider: Provider): Promise<void> {
  const { accountKeys, id: network } = provider;
  if (accountKeys === undefined) {
    return;
  }
  await parts.accountKeyTurns.take(network, async () => {
    const left = new Set<string>();
    const failures: unknown[] = [];
    for (const { id, name } of await listKeys(parts, provider, accountKeys)) {
      if (!mayGo(parts, network, name)) {
        left.add(name);
        continue;
      }
      try {
        await parts.calls.provider(provider, 'removeKey', signal => accountKeys.remove(id, signal));
      } catch (error) {
        left.add(name);
        failures.push(error);
      }
    }
    await noteRemoved(parts, network, left, () => true);
    if (failures.length > 0) {
      throw failures[0];
    }
  });
}

/** It is ours, and nothing that stands there was bought with it. */
function mayGo({ ledger }: Pick<Parts, 'ledger'>, network: ProviderId, name: string): boolean {
  const ref = ledger.ref(network, name);
  const bought = [...ledger.states()]
    .flatMap(({ attempts }) => attempts)
    .filter(attempt => attempt.provider === network && isNamed(attempt, name));
  return ref !== undefined && (bought.length > 0 ? !bought.some(isUnfinished) : ref.overAtMs !== null);
}

const isNamed = ({ accountKey, mark }: AttemptRecord, name: string): boolean =>
  accountKey?.name === name || mark === name;

/** Names of our keys that are on an account still, as far as is known, though nothing that was bought with them stands. */
export function keysLeftOn({ ledger }: Pick<Parts, 'ledger'>, network: ProviderId): readonly string[] {
  const left = [...ledger.states()]
    .flatMap(({ attempts }) => attempts)
    .filter(attempt => attempt.provider === network && !isUnfinished(attempt))
    .flatMap(({ accountKey }) => (accountKey === null || accountKey.id === null ? [] : [accountKey.name]));
  return [...new Set(left)];
}

/**
 * `needed`: a cluster has it, or may yet · `over`: nothing of its cluster is left · `forgotten`: of its purchase only the ref
 * is left · `anothers`: no purchase of ours has such a mark
 */
function useOf(
  { ledger }: Pick<Parts, 'ledger'>,
  network: ProviderId,
  name: string,
): 'needed' | 'over' | 'forgotten' | 'anothers' {
  const ref = ledger.ref(network, name);
  if (ref === undefined) {
    return 'anothers';
  }
  const states = [...ledger.states()].filter(({ attempts }) =>
    attempts.some(attempt => attempt.provider === network && isNamed(attempt, name)),
  );
  if (states.length > 0) {
    return states.some(needsKey) ? 'needed' : 'over';
  }
  return ref.overAtMs === null ? 'needed' : 'forgotten';
}

/** Those that a list does not show any more are written down as gone. */
async function noteRemoved(
  { ledger }: Pick<Parts, 'ledger'>,
  network: ProviderId,
  there: ReadonlySet<string>,
  isOf: (state: ClusterState) => boolean = state => !needsKey(state),
): Promise<void> {
  for (const state of ledger.states()) {
    const left = !isOf(state)
      ? []
      : state.attempts.filter(
          attempt =>
            attempt.provider === network &&
            attempt.accountKey !== null &&
            !isUnfinished(attempt) &&
            !there.has(attempt.accountKey.name),
        );
    if (left.length > 0) {
      await ledger.change(state.cluster.id, tx =>
        left.forEach(({ id }) => tx.setAttempt(id, { accountKey: null })),
      );
    }
  }
}
