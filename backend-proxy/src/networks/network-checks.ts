/** What `hitch doctor` says of each network: the login, whether it answers, whether it is proven, what stands there. */
import {
  type Cluster,
  type DoctorCheck,
  format,
  HitchError,
  isGone,
  type NetworkInfo,
  type NetworkTest,
  type NotOurs,
  parseMicroUsd,
  type ProviderId,
  showDollars,
} from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';

export interface NetworkCheckParts {
  readonly networks: readonly NetworkInfo[];
  readonly clusters: readonly Cluster[];
  /** One harmless call with the login that is there. @throws HitchError with a sentence. */
  readonly test: (id: ProviderId) => Promise<NetworkTest>;
  readonly nowMs: number;
}

/** A line for each network that takes money; nothing where none is on. */
export function networkChecks(parts: NetworkCheckParts): Promise<readonly DoctorCheck[]> {
  return Promise.all(
    parts.networks.filter(({ kind }) => kind === 'network').map(network => checkOf(network, parts)),
  );
}

type Outcome = Omit<DoctorCheck, 'name' | 'message'> & { readonly says: string };

async function checkOf(network: NetworkInfo, parts: NetworkCheckParts): Promise<DoctorCheck> {
  const { id, title, verifiedLive, notOurs, notRentable } = network;
  const { says, status, next } = await answerOf(network, parts);
  const known = [
    notRentable === undefined ? says : `${says}; ${format.clause(notRentable)}`,
    verifiedLive ? 'verified live' : 'not yet verified live',
    standing(id, parts.clusters),
    ...(notOurs.length === 0 ? [] : [strangers(notOurs)]),
  ];
  return { name: id, status, message: `${title}: ${known.join('; ')}.`, next };
}

/** The login, and whether the network answers: with a login it is asked now. */
async function answerOf(network: NetworkInfo, { test, nowMs }: NetworkCheckParts): Promise<Outcome> {
  const { id, login, offers, fetchedAtMs, problem, isPartOnly } = network;
  const listed =
    fetchedAtMs === null
      ? 'not asked for offers yet'
      : `${offers.toLocaleString('en-US')} offers of ${format.clock(fetchedAtMs, nowMs)}`;
  if (login === null || login.state === 'absent') {
    const who = login === null ? 'needs no login' : 'not logged in';
    const isSilent = problem !== null && isPartOnly !== true && login?.neededFor.offers !== true;
    return isSilent
      ? {
          says: `${who}; ${format.clause(problem)}`,
          status: 'warning',
          next: `Look whether ${network.title} is reached from here.`,
        }
      : { says: `${who}; ${listed}`, status: 'ok', next: null };
  }
  try {
    await test(id);
    return { says: `logged in, it answers; ${listed}`, status: 'ok', next: null };
  } catch (error) {
    const isRefused = error instanceof HitchError && error.code === 'LOGIN_NEEDED';
    return {
      says: `${isRefused ? 'the login is refused' : 'logged in, but it does not answer'}; ${format.clause(errorText(error))}`,
      status: isRefused ? 'problem' : 'warning',
      next: error instanceof HitchError ? (error.next ?? null) : null,
    };
  }
}

function standing(id: ProviderId, clusters: readonly Cluster[]): string {
  const there = clusters.filter(
    cluster => !isGone(cluster) && cluster.nodes.some(({ provider }) => provider === id),
  );
  return there.length === 0
    ? 'nothing of yours runs there'
    : `${there.map(({ name }) => name).join(', ')} ${there.length === 1 ? 'runs' : 'run'} there`;
}

/** What was seen on the account that Hitch did not rent. */
function strangers(notOurs: readonly NotOurs[]): string {
  const rate = notOurs.reduce(
    (sum, { pricePerHourMicroUsd }) => sum + parseMicroUsd(pricePerHourMicroUsd ?? '0'),
    0n,
  );
  const what = notOurs.length === 1 ? '1 machine' : `${notOurs.length.toString()} machines`;
  return `${what} on the account, ${showDollars(rate)}/h, not rented by Hitch and never touched (hitch networks ls shows what)`;
}
