/**
 * The machines that `ssh` can be led to, in memory and as the files that `ssh` reads. A machine's host key is pinned
 * when its agent first names it; the agent is reached over a way of its own, so nobody between can put another there.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Cluster,
  type ClusterId,
  type NodeSsh,
  publicKeySchema,
  type SshAccess,
  clusterIdSchema,
  sshAlias,
  sshAliasSchema,
  sshUserSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { writeFileAtomic, writeFileAtomicAside } from '@hitch/platform/src/atomic-file.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import {
  configText,
  isNameable,
  knownHostsText,
  type SshFiles,
  type SshHost,
  unnameable,
} from './entries.ts';
import { type ProxyProgram, proxyName, proxyScript } from '@hitch/client-node/src/proxy-script.ts';

/** What `ssh` reads of an answer: a line break in it would be a setting of its own, and a setting can be a command. */
const writtenSchema = z.object({ hostKey: publicKeySchema, user: sshUserSchema });

const pinSchema = writtenSchema.extend({
  clusterId: clusterIdSchema,
  nodeIndex: z.number().int(),
  /** The purchase: another machine in the same place has another key. */
  attemptId: z.string(),
  alias: sshAliasSchema,
  workFolder: z.string(),
});
export type Pin = z.infer<typeof pinSchema>;

/** Which machine of which cluster. */
export type Place = Pick<Pin, 'clusterId' | 'nodeIndex' | 'attemptId' | 'alias'>;

/** Why there is no way in, a sentence. */
type Problem = Place & { readonly message: string };

export interface SshHostsOptions {
  readonly home: Home;
  readonly log: Log;
  readonly program: Omit<ProxyProgram, 'homeFolder'>;
  readonly platform?: NodeJS.Platform;
}

export class SshHosts {
  readonly files: SshFiles;
  readonly #options: SshHostsOptions;
  readonly #pinsFile: string;
  readonly #keys: string;
  #pins: readonly Pin[];
  /** Keys that are being read or made: two machines of one cluster ask at the same time. */
  readonly #asked = new Map<ClusterId, Promise<string>>();
  /** Machines with no way in. */
  #problems: readonly Problem[] = [];

  constructor(options: SshHostsOptions) {
    const { ssh } = options.home;
    this.#options = options;
    this.#keys = join(ssh, 'keys');
    this.#pinsFile = join(ssh, 'pins.json');
    this.files = {
      config: join(ssh, 'config'),
      knownHosts: join(ssh, 'known_hosts'),
      identity: clusterId => join(this.#keys, clusterId),
      proxy: join(ssh, proxyName(options.platform ?? process.platform)),
      webProxy: join(ssh, proxyName(options.platform ?? process.platform, 'ws-connect')),
    };
    this.#pins = readPins(this.#pinsFile);
  }

  /** Puts the files in order for the clusters that are there now. Called once, before anybody is led anywhere. */
  start(running: ReadonlySet<string>): void {
    const { home, program, platform = process.platform } = this.#options;
    this.#pins = this.#pins.filter(({ clusterId }) => running.has(clusterId));
    try {
      mkdirSync(this.#keys, { recursive: true, mode: 0o700 });
      const ours = { ...program, homeFolder: home.root };
      writeChanged(this.files.proxy, proxyScript(ours, platform), 0o700);
      writeChanged(this.files.webProxy, proxyScript(ours, platform, 'ws-connect'), 0o700);
      readdirSync(this.#keys)
        .filter(name => !running.has(name.replace(/\.pub$/, '')))
        .forEach(name => rmSync(join(this.#keys, name), { force: true }));
      this.#write();
    } catch (error) {
      // Everything else works without ssh.
      this.#options.log.error('The files for ssh cannot be written', { error: errorText(error) });
    }
  }

  /** Hosts that can be named now. */
  get hosts(): readonly SshHost[] {
    return this.#pins;
  }

  /** The key that opens this cluster's machines; made the first time. @throws HitchError STORAGE_FULL. */
  publicKey(clusterId: ClusterId): Promise<string> {
    const asked =
      this.#asked.get(clusterId) ??
      this.#readOrMakeKey(clusterId).finally(() => this.#asked.delete(clusterId));
    this.#asked.set(clusterId, asked);
    return asked;
  }

  async #readOrMakeKey(clusterId: ClusterId): Promise<string> {
    const file = this.files.identity(clusterId);
    try {
      return (await readFile(`${file}.pub`, 'utf8')).trim();
    } catch {
      const made = generateOpensshKey(`Hitch, ${clusterId}`);
      await writeFileAtomicAside(file, made.privateKey);
      await writeFileAtomicAside(`${file}.pub`, `${made.publicKey}\n`);
      return made.publicKey;
    }
  }

  /** What a machine's agent has said, as it came from there. @throws HitchError STORAGE_FULL. */
  note(place: Place, said: NodeSsh): void {
    this.#problems = this.#problems.filter(known => !isSamePlace(known, place));
    const others = this.#pins.filter(pin => !isSamePlace(pin, place));
    const before = this.#pins.find(pin => isSamePlace(pin, place) && pin.attemptId === place.attemptId);
    const read = readSaid(place, said, before);
    if ('message' in read) {
      this.#problems = [...this.#problems, { ...place, message: read.message }];
      // A machine that was pinned stays so: what it says later is measured by it. Another one in its place is gone.
      this.#keep(before === undefined ? others : this.#pins);
    } else {
      this.#keep([...others, { ...place, ...read.written, workFolder: said.workFolder }]);
    }
  }

  /** The cluster ends, or has lost this machine: nobody is led there any more. */
  forget(clusterId: ClusterId, stays: (place: Place) => boolean = () => false): void {
    const isKept = (place: Place): boolean => place.clusterId !== clusterId || stays(place);
    this.#problems = this.#problems.filter(isKept);
    this.#keep(this.#pins.filter(isKept));
  }

  /** It has ended: its key opens nothing any more. */
  discardKey(clusterId: ClusterId): void {
    const file = this.files.identity(clusterId);
    rmSync(file, { force: true });
    rmSync(`${file}.pub`, { force: true });
  }

  access(cluster: Pick<Cluster, 'id' | 'name' | 'phase'>, nodeIndex: number): SshAccess {
    const place = { clusterId: cluster.id, nodeIndex };
    const pin = this.#pins.find(known => isSamePlace(known, place));
    const problem = isNameable(this.files.config)
      ? this.#problems.find(known => isSamePlace(known, place))?.message
      : unnameable(this.files.config);
    const known = pin ?? { user: '', workFolder: '', hostKey: '' };
    return {
      ...place,
      alias: sshAlias(cluster.name, nodeIndex),
      ...stateOf(cluster, pin !== undefined, problem),
      user: known.user,
      workFolder: known.workFolder,
      hostKey: known.hostKey,
      configFile: this.files.config,
    };
  }

  #keep(pins: readonly Pin[]): void {
    const before = this.#pins;
    if (pins.length !== before.length || pins.some(pin => !before.includes(pin))) {
      this.#pins = pins.toSorted((a, b) => (a.alias < b.alias ? -1 : 1));
      this.#write();
    }
  }

  #write(): void {
    if (!isNameable(this.#options.home.ssh)) {
      this.#options.log.warn(unnameable(this.#options.home.ssh));
      return;
    }
    writeChanged(this.#pinsFile, JSON.stringify(this.#pins));
    // The keys first: an entry without its key would only be refused.
    writeChanged(this.files.knownHosts, knownHostsText(this.#pins));
    writeChanged(this.files.config, configText(this.#pins, this.files));
  }
}

const isSamePlace = (
  a: Pick<Pin, 'clusterId' | 'nodeIndex'>,
  b: Pick<Pin, 'clusterId' | 'nodeIndex'>,
): boolean => a.clusterId === b.clusterId && a.nodeIndex === b.nodeIndex;

/** @param before what the same machine said first. */
function readSaid(
  { alias }: Place,
  said: NodeSsh,
  before: Pin | undefined,
): { readonly written: z.infer<typeof writtenSchema> } | { readonly message: string } {
  if (!said.available) {
    return { message: said.message };
  }
  const { data } = writtenSchema.safeParse(said);
  if (data === undefined) {
    return { message: `${alias} has a name that ssh cannot use.` };
  }
  if (before !== undefined && before.hostKey !== data.hostKey) {
    return {
      message: `${alias} shows another host key than before: ssh refuses it, and so should you. Stop the cluster, and rent another.`,
    };
  }
  return { written: data };
}

function stateOf(
  { name, phase }: Pick<Cluster, 'name' | 'phase'>,
  pinned: boolean,
  problem: string | undefined,
): Pick<SshAccess, 'state' | 'message'> {
  if (problem !== undefined) {
    return { state: 'unavailable', message: problem };
  }
  if (pinned) {
    return { state: 'available', message: '' };
  }
  switch (phase) {
    case 'stopping':
    case 'stopped':
    case 'expired':
    case 'failed':
    case 'paused':
      return { state: 'unavailable', message: `${name} does not run (${phase}).` };
    case 'requested':
    case 'purchasing':
    case 'bootstrapping':
    case 'starting':
    case 'ready':
    case 'degraded':
    case 'unreachable':
      return { state: 'waiting', message: `${name} has not said yet how it is reached (${phase}).` };
  }
}

function readPins(file: string): readonly Pin[] {
  try {
    const known = z.array(z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8')));
    // One that cannot be read takes no other with it.
    return known.flatMap(pin => pinSchema.safeParse(pin).data ?? []);
  } catch {
    return [];
  }
}

/** A file that stands as it should is not touched: editors watch it. */
function writeChanged(path: string, text: string, mode = 0o600): void {
  try {
    if (readFileSync(path, 'utf8') === text) {
      return;
    }
  } catch {
    // Not there yet.
  }
  writeFileAtomic(path, text, mode);
}
