/** What nftables is told so that others do not reach a node's ports. Pure: the tests read the text whole. */
import { isIPv4, isIPv6 } from 'node:net';

interface Table {
  /** Names the table; `hitch-…`. */
  readonly ref: string;
  /** Addresses of the cluster's other machines, IPv4 or IPv6. */
  readonly peers: readonly string[];
}

export interface Closed extends Table {
  /** The node's ports: TCP and UDP, both ends counted. */
  readonly firstPort: number;
  readonly lastPort: number;
}

export interface ClosedWhole extends Table {
  /** Where its sshd listens: the only way in that stays open to all. */
  readonly sshPort: number;
}

/**
 * One line for `nft -f`. In one step a table that is there is replaced, so that none is without for a moment. It says nothing
 * of any other port: the rest of the machine is its owner's. What the machine asks for itself is answered, whatever port it
 * asked from.
 * @throws RangeError for a name, port or address that is none: it would be read as a rule.
 */
export function closedRules({ ref, firstPort, lastPort, peers }: Closed): string {
  const ports = `${portWord(firstPort)}-${portWord(lastPort)}`;
  if (firstPort > lastPort) {
    throw new RangeError('This names no ports of a machine.');
  }
  return tableOf({ ref, peers }, [`tcp dport ${ports} drop;`, `udp dport ${ports} drop;`]);
}

/**
 * The same for a machine that is rented for one cluster alone: whatever listens there, a person's own programs too, answers
 * the cluster's machines only. Its network's sign of life (ICMP), and the renewal of its own addresses (DHCP), stay.
 * @throws RangeError as {@link closedRules}
 */
export const wholeRules = ({ ref, sshPort, peers }: ClosedWhole): string =>
  tableOf({ ref, peers }, [
    `tcp dport ${portWord(sshPort)} accept;`,
    'meta l4proto { icmp, ipv6-icmp } accept;',
    'udp dport { 68, 546 } accept;',
    'drop;',
  ]);

function tableOf({ ref, peers }: Table, verdicts: readonly string[]): string {
  if (!/^hitch-[a-z0-9-]{1,60}$/.test(ref)) {
    throw new RangeError('This names no ports of a machine.');
  }
  const others = [...new Set(peers)].toSorted();
  const bad = others.find(peer => !isIPv4(peer) && !isPlainIPv6(peer));
  if (bad !== undefined) {
    throw new RangeError(`An address of the cluster is none: ${JSON.stringify(bad)}.`);
  }
  const table = `table inet ${ref}`;
  return [
    `add ${table};`,
    `delete ${table};`,
    `${table} {`,
    'chain input {',
    'type filter hook input priority filter; policy accept;',
    'iif "lo" accept;',
    'ct state established,related accept;',
    ...allowed('ip', others.filter(isIPv4)),
    ...allowed('ip6', others.filter(isPlainIPv6)),
    ...verdicts,
    '};',
    '}',
  ].join(' ');
}

/** Without the name of an interface, which could hold anything. */
const isPlainIPv6 = (address: string): boolean => isIPv6(address) && !address.includes('%');

const allowed = (family: 'ip' | 'ip6', addresses: readonly string[]): readonly string[] =>
  addresses.length === 0 ? [] : [`${family} saddr { ${addresses.join(', ')} } accept;`];

function portWord(port: number): string {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RangeError('This names no ports of a machine.');
  }
  return port.toString();
}
