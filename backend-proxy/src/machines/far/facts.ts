/** What a far machine is, as far/look.sh says it: a fact a line. */
import { BlockList, isIPv4 } from 'node:net';
import { cutText } from '@hitch/contract';
import { type FarGpus, NO_FAR_GPUS, parseNvidiaSmi } from './nvidia.ts';

/** A folder that Hitch's own could lie in. */
export interface FarPlace {
  /** Hitch's own folder there, made or not. */
  readonly root: string;
  /**
   * `used`: Hitch is there already; `free`: it can be made there; `closed`: not ours to write to; `odd`: something that
   * is not our folder has its name.
   */
  readonly state: 'used' | 'free' | 'closed' | 'odd';
  readonly freeMiB: number;
  /** Mounted so that no program may be started from there. */
  readonly noexec: boolean;
  /** How fast the disk took 64 MB when Hitch was set up there, in MB a second; null: nobody has measured yet. */
  readonly writesMBps: number | null;
}

export interface FarFacts {
  /** `Linux` */
  readonly os: string;
  /** As the kernel says it: `x86_64`, `aarch64`. */
  readonly arch: string;
  readonly libc: { readonly name: 'glibc' | 'musl' | 'unknown'; readonly version: string };
  /** `Debian GNU/Linux 12 (bookworm)`; '' where the system does not say. */
  readonly system: string;
  readonly hostname: string;
  readonly uid: number;
  readonly home: string;
  /** Names this start of this machine. */
  readonly boot: string;
  /** Its clock, in seconds. */
  readonly clockS: number;
  /** What may be used: the least of what there is and what its control groups allow. */
  readonly cpuCores: number;
  readonly memoryMiB: number;
  /** Whether a network interface of our own can be made: TUN is there and we may set networks up. */
  readonly tun: boolean;
  /** Addresses of its own by which anybody on the internet could reach it, where nothing stands between. */
  readonly publicAddresses: readonly string[];
  /** Its own IPv4 addresses that are no public ones, without its loopback: from one of these it calls its neighbours. */
  readonly privateAddresses: readonly string[];
  /** Why ports of ours cannot be closed there to others, as a clause; null: they can. */
  readonly staysOpen: string | null;
  /** Its own address at which this connection came in, with the port of its sshd; null where that is its loopback. */
  readonly reachedAt: { readonly address: string; readonly port: number } | null;
  readonly listeningPorts: ReadonlySet<number>;
  readonly places: readonly FarPlace[];
  /** Folders that did not answer, as one of a server that is gone: nothing is known of them. */
  readonly silent: readonly string[];
  /** Folders of servers below /mnt, which were not looked at. */
  readonly passed: readonly string[];
  /** Whether cron can start the agent again after a reboot. */
  readonly cron: boolean;
  /** Whether this user has a systemd of his own, which can. */
  readonly unit: boolean;
  readonly gpus: FarGpus;
}

const GPUS = '::gpus\n';
const NET_ADMIN = 1n << 12n;

/** @throws RangeError where the text is not what the program prints. */
export function parseLook(text: string): FarFacts {
  const at = text.indexOf(GPUS);
  const facts = new Map<string, string[]>();
  for (const line of (at === -1 ? text : text.slice(0, at)).split('\n')) {
    const [, name, value] = /^([a-z_]+) (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) {
      facts.set(name, [...(facts.get(name) ?? []), value]);
    }
  }
  const one = (name: string): string => facts.get(name)?.[0] ?? '';
  if (one('os') === '' || one('arch') === '') {
    throw new RangeError('These are not the facts of a machine.');
  }
  return {
    os: one('os'),
    arch: one('arch'),
    libc: parseLibc(one('libc')),
    system: one('system'),
    hostname: one('host'),
    uid: Number(one('uid')),
    home: one('home'),
    boot: one('boot'),
    clockS: Number(one('clock')),
    cpuCores: cores(Number(one('cores')), facts.get('cpu_max') ?? []),
    memoryMiB: memory(Number(one('memory_kib')), facts.get('memory_max') ?? []),
    tun: one('tun') === 'yes' && (hex(one('capabilities')) & NET_ADMIN) !== 0n,
    publicAddresses: words(one('addresses')).flatMap(publicAddress),
    privateAddresses: words(one('addresses')).filter(isInside),
    staysOpen: staysOpen(one('closes')),
    reachedAt: reachedAt(one('reached')),
    listeningPorts: new Set(words(one('listening')).map(port => Number.parseInt(port, 16))),
    places: (facts.get('place') ?? []).flatMap(text => parsePlace(text, facts.get('speed') ?? [])),
    silent: facts.get('silent') ?? [],
    passed: facts.get('passed') ?? [],
    cron: one('cron') === 'yes',
    unit: one('unit') === 'yes',
    gpus: at === -1 ? NO_FAR_GPUS : parseNvidiaSmi(text.slice(at + GPUS.length)),
  };
}

const words = (text: string): readonly string[] => text.split(' ').filter(Boolean);

/** What no router of the internet knows the way to: RFC 6890. */
const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(network, prefix);
}

/** Of IPv6, which the kernel writes as 32 digits, 2000::/3 is what the internet routes. */
function publicAddress(text: string): string[] {
  if (isIPv4(text)) {
    return PRIVATE.check(text) ? [] : [text];
  }
  return /^[23][0-9a-f]{31}$/i.test(text) ? [(text.match(/.{4}/g) ?? []).join(':')] : [];
}

export const isPrivate = (address: string): boolean => isIPv4(address) && PRIVATE.check(address);

const isInside = (address: string): boolean => isPrivate(address) && !address.startsWith('127.');

/** What of nft's words is shown. */
const MOST_SAID = 200;

function staysOpen(text: string): string | null {
  const [word = '', ...said] = text.split(' ');
  switch (word) {
    case 'yes':
      return null;
    case 'missing':
      return 'nft is not installed there (the package nftables)';
    case 'refused':
      return `nft may not do it there (${cutText(said.join(' '), MOST_SAID) || 'it said nothing'})`;
    default:
      return 'only root can';
  }
}

/** IPv4 alone: Ray takes no other without being asked. */
function reachedAt(text: string): FarFacts['reachedAt'] {
  const [address = '', port = ''] = text.split(' ');
  return isIPv4(address) && !address.startsWith('127.') && /^\d{1,5}$/.test(port)
    ? { address, port: Number(port) }
    : null;
}

function parseLibc(text: string): FarFacts['libc'] {
  const [name = '', version = ''] = text.split(' ');
  return name === 'glibc' || name === 'musl' ? { name, version } : { name: 'unknown', version: '' };
}

function hex(text: string): bigint {
  return /^[0-9a-f]+$/i.test(text) ? BigInt(`0x${text}`) : 0n;
}

/** Each limit is `<microseconds> <period>`, `max <period>` or, in the older groups, `-1 <period>`. */
function cores(there: number, limits: readonly string[]): number {
  const allowed = limits.flatMap(limit => {
    const [quota = '', period = ''] = limit.split(' ');
    const share = Number(quota) / Number(period);
    return share > 0 && Number.isFinite(share) ? [share] : [];
  });
  return Math.max(1, Math.floor(Math.min(there, ...allowed)));
}

function memory(thereKib: number, limits: readonly string[]): number {
  const allowed = limits.map(Number).filter(bytes => bytes > 0);
  return Math.floor(Math.min(thereKib, ...allowed.map(bytes => bytes / 1024)) / 1024);
}

/** @param speeds `<MB a second> <folder>` each */
function parsePlace(text: string, speeds: readonly string[]): FarPlace[] {
  const [, state, freeKib, options = '', root] = /^(\S+) (\d+) (\S+) (\/.*)$/.exec(text) ?? [];
  if (
    root === undefined ||
    !(state === 'used' || state === 'free' || state === 'closed' || state === 'odd')
  ) {
    return [];
  }
  const mount = options.split(',');
  const speed = speeds.map(each => /^(\d{1,6}) (.*)$/.exec(each)).find(found => found?.[2] === root)?.[1];
  return [
    {
      root,
      state: mount.includes('ro') ? 'closed' : state,
      freeMiB: Math.floor(Number(freeKib) / 1024),
      noexec: mount.includes('noexec'),
      writesMBps: speed === undefined ? null : Number(speed),
    },
  ];
}
