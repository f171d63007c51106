/**
 * Machines with networks of their own: namespaces on one switch. Each has an address that only the others on the switch
 * reach, and no way out but a proxy, as behind a company's wall. Needs Linux, root and `ip`; nothing of this computer's
 * own network is changed but for one interface, which goes with the rest.
 */
import { execFileSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { capture } from './run-program.ts';

const IP = ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'];
const NFT = ['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft'];
const SCAN = fileURLToPath(new URL('scan-ports.mjs', import.meta.url));
const SCAN_WITHIN_MS = 180_000;

const ip = (...args: readonly string[]): string =>
  execFileSync('/usr/bin/env', ['PATH=/usr/sbin:/sbin:/usr/bin:/bin', 'ip', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** Why there can be none here; null where there can. */
export function withoutNetworks(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return 'networks of their own need root on Linux';
  }
  const set = (name: string): string => process.env[name] ?? '';
  if (['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some(name => set(name) !== '')) {
    return 'this computer itself reaches the internet by a proxy alone';
  }
  if (
    ['PIP_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_INDEX_URL'].some(name =>
      /\/\/(?:127\.|localhost)/.test(set(name)),
    )
  ) {
    return 'packages come from this computer itself, which such a machine does not reach';
  }
  if (!IP.some(program => existsSync(program))) {
    return 'there is no ip: install iproute2';
  }
  try {
    const probe = `hitch-probe-${process.pid.toString()}`;
    ip('netns', 'add', probe);
    try {
      ip('-n', probe, 'link', 'add', 'name', 's', 'type', 'bridge');
      ip('-n', probe, 'link', 'add', 'name', 'a', 'type', 'veth', 'peer', 'name', 'b');
    } finally {
      ip('netns', 'del', probe);
    }
    return null;
  } catch {
    return 'namespaces with networks of their own are forbidden here';
  }
}

/** Why none of them can have rules of nftables; null where they can. */
export function withoutNftables(): string | null {
  const reason = withoutNetworks();
  if (reason !== null) {
    return reason;
  }
  if (!NFT.some(program => existsSync(program))) {
    return 'there is no nft: install nftables';
  }
  const probe = `hitch-probe-${process.pid.toString()}`;
  ip('netns', 'add', probe);
  try {
    const chain = 'type filter hook input priority filter; policy accept; ct state established accept;';
    ip('netns', 'exec', probe, 'nft', `table inet probe { chain input { ${chain} }; }`);
    return null;
  } catch {
    return 'this kernel has no nftables, or forbids them here';
  } finally {
    ip('netns', 'del', probe);
  }
}

/** One place on the switch. */
export interface FarPlace {
  readonly namespace: string;
  readonly address: string;
  /** Null where this kernel has no IPv6. */
  readonly address6: string | null;
  /** What programs there need in their environment to reach what is outside. */
  readonly environment: Readonly<Record<string, string>>;
}

export class FarNetwork {
  /** Stands for everybody else who is near: on the switch, and no machine of ours. */
  readonly neighbour: FarPlace;
  readonly #id: string;
  readonly #prefix: string;
  readonly #namespaces: string[] = [];
  readonly #proxy: Server;
  #places = 1;

  private constructor(proxy: Server) {
    this.#id = process.pid.toString(36);
    this.#prefix = freePrefix();
    this.#proxy = proxy;
    this.#addSwitch();
    this.neighbour = this.join('out');
  }

  static async make(): Promise<FarNetwork> {
    const proxy = createProxy();
    const network = new FarNetwork(proxy);
    try {
      await new Promise<void>((resolve, reject) => {
        proxy.once('error', reject);
        proxy.listen(PROXY_PORT, `${network.#prefix}.1`, resolve);
      });
      return network;
    } catch (error) {
      await network.dispose();
      throw error;
    }
  }

  /** @param name short: it is part of an interface's name */
  join(name: string): FarPlace {
    const namespace = this.#namespace(name);
    const number = (this.#places += 1);
    const address = `${this.#prefix}.${number.toString()}`;
    const port = `p-${name}`;
    const ends = ['name', 'eth0', 'netns', namespace, 'type', 'veth', 'peer', 'name', port];
    ip('link', 'add', ...ends, 'netns', this.#switch);
    ip('-n', this.#switch, 'link', 'set', port, 'master', 'br0', 'up');
    ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    const proxy = `http://${this.#prefix}.1:${PROXY_PORT.toString()}`;
    const inside = `localhost,127.0.0.1,${this.#prefix}.0/24`;
    return {
      namespace,
      address,
      address6: addAddress6(namespace, number),
      environment: {
        http_proxy: proxy,
        https_proxy: proxy,
        no_proxy: inside,
        NO_PROXY: inside,
      },
    };
  }

  /**
   * Which TCP ports of a place answer the neighbour, at any of its addresses: all 65,535 are tried, or those that are named.
   * A port whose rules drop what comes is known by its silence, which takes seconds for every thousand of them.
   */
  async openPorts(
    { address, address6 }: Pick<FarPlace, 'address' | 'address6'>,
    ports: readonly number[] = [],
  ): Promise<readonly number[]> {
    const found = new Set<number>();
    for (const each of address6 === null ? [address] : [address, address6]) {
      const args = [
        'netns',
        'exec',
        this.neighbour.namespace,
        process.execPath,
        SCAN,
        each,
        ...ports.map(String),
      ];
      const { code, stdout, stderr } = await capture('ip', args, SCAN_WITHIN_MS);
      if (code !== 0) {
        throw new Error(`The scan of ${each} failed: ${stderr}`);
      }
      stdout
        .split(/\s+/)
        .filter(Boolean)
        .forEach(port => found.add(Number(port)));
    }
    return [...found].toSorted((one, other) => one - other);
  }

  /** UDP sockets of a place that are bound to more than its loopback: a scan from outside cannot tell those. */
  udpSockets({ namespace }: FarPlace): readonly string[] {
    return ip('netns', 'exec', namespace, 'cat', '/proc/net/udp', '/proc/net/udp6')
      .split('\n')
      .flatMap(line => {
        const local = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) /.exec(line);
        const [, address = '', port = ''] = local ?? [];
        return local === null || isLoopback(address) ? [] : [`${address}:${Number.parseInt(port, 16)}`];
      });
  }

  /** What its nftables hold, as text; '' where they hold nothing. */
  ruleset({ namespace }: FarPlace): string {
    return ip('netns', 'exec', namespace, 'nft', 'list', 'ruleset');
  }

  /** Gives a place rules of its owner's. */
  addRules({ namespace }: FarPlace, rules: string): void {
    ip('netns', 'exec', namespace, 'nft', rules);
  }

  async dispose(): Promise<void> {
    this.#proxy.closeAllConnections();
    await new Promise(resolve => this.#proxy.close(resolve));
    ip('link', 'del', this.#near);
    // The other interfaces go with their namespaces.
    for (const namespace of this.#namespaces) {
      ip('netns', 'del', namespace);
    }
  }

  get #switch(): string {
    return `hitch-${this.#id}-sw`;
  }

  get #near(): string {
    return `hf-${this.#id}`;
  }

  #namespace(name: string): string {
    const namespace = `hitch-${this.#id}-${name}`;
    ip('netns', 'add', namespace);
    this.#namespaces.push(namespace);
    return namespace;
  }

  #addSwitch(): void {
    const namespace = this.#namespace('sw');
    const near = this.#near;
    ip('-n', namespace, 'link', 'add', 'name', 'br0', 'type', 'bridge');
    ip('-n', namespace, 'link', 'set', 'br0', 'up');
    ip('link', 'add', 'name', near, 'type', 'veth', 'peer', 'name', 'p-near', 'netns', namespace);
    ip('-n', namespace, 'link', 'set', 'p-near', 'master', 'br0', 'up');
    ip('addr', 'add', `${this.#prefix}.1/24`, 'dev', near);
    ip('link', 'set', near, 'up');
  }
}

const PROXY_PORT = 3128;

/** Two of several tests on one computer must not meet. */
function freePrefix(): string {
  const taken = ip('-o', 'addr');
  for (let step = 0; step < 250; step++) {
    const prefix = `10.213.${((process.pid + step) % 250).toString()}`;
    if (!taken.includes(` ${prefix}.`)) {
      return prefix;
    }
  }
  throw new Error('Every network 10.213.n.0/24 is in use on this computer.');
}

function addAddress6(namespace: string, number: number): string | null {
  const address = `fd77::${number.toString(16)}`;
  try {
    ip('-n', namespace, '-6', 'addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad');
    return address;
  } catch {
    return null;
  }
}

const isLoopback = (address: string): boolean => /7F$|^0{24}01000000$/.test(address);

/** A proxy as companies have one: a connection to wherever it is asked for, and plain requests. */
function createProxy(): Server {
  const server = createServer((asked, answer) => {
    const { method, headers } = asked;
    const passed = request(asked.url ?? '', { method, headers }, got => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    passed.once('error', () => answer.writeHead(502).end());
    asked.pipe(passed);
  });
  // Asked once a name: many connections come at once, and each question waits for the one before it.
  const known = new Map<string, Promise<{ readonly address: string }>>();
  server.on('connect', (asked, near, head) => {
    const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(asked.url ?? '') ?? [];
    const found = known.get(host) ?? lookup(host, { family: 4 });
    known.set(host, found);
    near.once('error', () => near.destroy());
    found.then(
      ({ address }) => {
        const far = connect(Number(port), address, () => {
          near.write('HTTP/1.1 200 Connection established\r\n\r\n');
          far.write(head);
          near.pipe(far).pipe(near);
        });
        far.once('error', () => near.destroy());
        far.once('close', () => near.destroy());
        near.once('close', () => far.destroy());
      },
      () => {
        known.delete(host);
        near.destroy();
      },
    );
  });
  return server;
}
