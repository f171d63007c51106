/** How networks, their logins and machines of one's own stand, as all clients say it. */
import * as format from './format.ts';
import { parseDollars, formatMicroUsd } from './money.ts';
import { shownName } from './shown/text.ts';
import { networkAccountLines, routeLine } from './network-words.ts';
import type { HostKey, Login, MachineTask, NetworkInfo, NotOurs, SshHost } from './networks.ts';
import type { ProviderInfo } from './daemon.ts';

/** The network that is this computer itself: it is always there, and nobody added it. */
const THIS_COMPUTER = 'local';

/** What tells whether a network is rented from in earnest. */
export type SourceFacts = Pick<
  ProviderInfo,
  'id' | 'kind' | 'enabled' | 'offers' | 'credentials' | 'notRentable'
>;

/**
 * It is rented from in earnest: it takes money, and somebody is logged in, or has machines of one's own beyond this
 * computer. A catalogue that can be looked at without an account is not.
 */
export const isRealSource = ({ id, kind, enabled, offers, credentials, notRentable }: SourceFacts): boolean =>
  enabled &&
  ((kind === 'network' && credentials !== 'absent' && notRentable === undefined) ||
    (kind === 'own' && id !== THIS_COMPUTER && offers > 0));

/**
 * What a first look at offers filters by. Practice offers never stand between real ones that can be rented; who is logged
 * in nowhere sees them beside the catalogues of real networks.
 */
export function practiceAtFirst(providers: readonly SourceFacts[]): 'only' | 'exclude' | undefined {
  if (providers.some(isRealSource)) {
    return 'exclude';
  }
  return providers.some(({ kind, enabled }) => enabled && kind === 'network') ? undefined : 'only';
}

/** What can be done about a login, in this order. */
export type LoginAction = 'login' | 'test' | 'logout';

export function loginActions({ login }: Pick<NetworkInfo, 'login'>): readonly LoginAction[] {
  if (login === null) {
    return [];
  }
  return login.state === 'absent' ? ['login'] : ['login', 'test', 'logout'];
}

/** It is there and was not refused, or none is needed. */
export const isLoggedIn = ({ login }: Pick<NetworkInfo, 'login'>): boolean =>
  login === null || login.state === 'present';

const PLACES: Readonly<Record<NonNullable<Login['keptIn']>, string>> = {
  keychain: 'kept in the keychain',
  file: 'kept in a file that only you can read',
};

/** A sentence without its full stop; what a network refused is its own. */
export function loginLine({ state, keptIn, neededFor, problem }: Login): string {
  switch (state) {
    case 'present':
      return keptIn === null ? 'Logged in' : `Logged in, ${PLACES[keptIn]}`;
    case 'refused':
      return problem ?? 'The login is not accepted';
    case 'absent': {
      const needed = `Not logged in; needed ${neededFor.offers ? 'for its offers' : 'to rent there'}`;
      return problem === null ? needed : `${needed}. ${problem}`;
    }
  }
}

const counted = (many: number, what: string): string =>
  `${many.toLocaleString('en-US')} ${what}${many === 1 ? '' : 's'}`;

/** Its offers wait for nothing but a login: nothing is wrong with the network. */
const waitsForLogin = ({ login }: Pick<NetworkInfo, 'login'>): boolean =>
  login?.state === 'absent' && login.neededFor.offers;

/** What keeps it from being used as it should; not what it leaves out, nor that nobody logged in yet. */
export const networkTrouble = (
  network: Pick<NetworkInfo, 'login' | 'problem' | 'isPartOnly'>,
): string | null => (network.isPartOnly === true || waitsForLogin(network) ? null : network.problem);

/** One line of a list: what is wrong goes first. */
export function networkLine(network: NetworkInfo): string {
  const { offers, login, machines, notRentable } = network;
  const trouble = networkTrouble(network);
  const found = [
    ...(notRentable === undefined ? [] : [notRentable]),
    ...(login === null || login.state === 'present' ? [] : [loginLine(login)]),
    ...(trouble === null ? [] : [trouble]),
    ...(machines === null ? [] : [counted(machines.length, 'machine')]),
    counted(offers, 'offer'),
  ];
  return found.join(', ').replaceAll('.,', ',');
}

/** All that is known of it beside its machines, and those on the account that are not ours. */
export function networkLines(network: NetworkInfo, nowMs: number): readonly string[] {
  const { login, account, bills, limits, fetchedAtMs, problem, notRentable } = network;
  return [
    ...(notRentable === undefined ? [] : [notRentable]),
    ...(problem === null ? [] : [problem]),
    ...(login === null ? [] : [loginLine(login)]),
    ...(account === null ? [] : networkAccountLines(account, nowMs)),
    ...bills.flatMap(({ warning }) => (warning === null ? [] : [`⚠ ${warning}`])),
    ...(fetchedAtMs === null ? [] : [`Offers of ${format.clock(fetchedAtMs, nowMs)}`]),
    ...unverifiedLines(network),
    ...limits.map(limit => `May be asked: ${routeLine(limit, nowMs)}`),
  ];
}

/** That nobody has rented there with this version's adapter, really; none where somebody has. */
export const unverifiedLines = ({
  kind,
  verifiedLive,
}: Pick<NetworkInfo, 'kind' | 'verifiedLive'>): readonly string[] =>
  kind === 'network' && !verifiedLive ? ['This network is not yet verified live'] : [];

/** Something on the account that this Hitch did not rent: it is only said. */
export function notOursLine(one: NotOurs, nowMs: number): string {
  const { id, mark, status, pricePerHourMicroUsd, seenAtMs } = one;
  const name = mark === null || mark === id ? id : `${mark} (${id})`;
  const price =
    pricePerHourMicroUsd === null ? 'price not said' : `${format.dollars(pricePerHourMicroUsd)}/h`;
  return `Not ours, never touched: ${name}, ${status}, ${price}, seen ${format.clock(seenAtMs, nowMs)}`;
}

/** How a person has Hitch watch and end what it did not rent. */
export const adoptLines = ({ id, notOurs }: Pick<NetworkInfo, 'id' | 'notOurs'>): readonly string[] =>
  notOurs.length === 0
    ? []
    : [
        `To have Hitch count ${notOurs.length === 1 ? 'it' : 'one of them'} and end it: hitch adopt ${id} ${shownName(notOurs[0]?.id ?? '')}${wayWords(notOurs)}`,
      ];

function wayWords([first]: readonly NotOurs[]): string {
  return first?.canBeSetUp === undefined
    ? ''
    : ` (to work on it too: ${first.canBeSetUp === 'by_network' ? '--set-up' : '--identity FILE'})`;
}

/** What stands behind a name of the configuration of `ssh`. */
export function sshHostLine({ user, address, isAdded }: SshHost): string {
  const way = address === null ? '' : user === null ? address : `${user}@${address}`;
  return [way, isAdded ? 'on your list' : ''].filter(word => word !== '').join(', ');
}

/** How a person finds out whether a key is the machine's. */
export function hostKeyLines(machine: string, { type, fingerprint }: HostKey): readonly string[] {
  return [
    `ssh does not know ${machine} yet. Its ${type} key is ${fingerprint}`,
    'To compare, run on the machine: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
  ];
}

/** What came of it, once it is done; the first line says it, the others add to it. */
export function taskLines(task: MachineTask): readonly string[] {
  const { kind, machine, seen, stillThere, notLooked, freedMiB } = task;
  const saw = seen === null ? machine : `${machine}: ${seen.summary}`;
  switch (kind) {
    case 'add':
      return [`Added ${saw}`, ...(seen?.lines ?? [])];
    case 'test':
      return [saw, ...(seen?.lines ?? [])];
    case 'remove':
      return [
        `Removed ${machine} from the list.`,
        ...stillThere.map(({ by, ref }) => `Still running there: ${ref}, of ${by}`),
        ...(notLooked === null ? [] : [`⚠ Could not look what still runs there: ${notLooked}`]),
      ];
    case 'clean':
      return [`Removed Hitch’s packages from ${machine}: ${(freedMiB ?? 0).toString()} MiB.`];
  }
}

/** Reads a price an hour as a person types it; nothing: left as it is. */
export function readMachinePrice(
  text: string,
): { readonly pricePerHourMicroUsd?: string } | { readonly problem: string } {
  if (text.trim() === '') {
    return {};
  }
  try {
    return { pricePerHourMicroUsd: formatMicroUsd(parseDollars(text.trim())) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
